"""Pages go out compressed to whoever takes that; nothing else does."""

import gzip

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.factories import make_account, make_function

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def browser(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    account = make_account()
    for number in range(20):
        make_function(account, name=f"orders-{number}")
    return client


def test_a_browser_gets_the_same_page_in_a_fraction_of_its_length(browser: Client) -> None:
    plain, packed = browser.get("/functions/"), browser.get("/functions/", headers=TAKES)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) * 5 < len(plain.content)
    assert "orders-19" in gzip.decompress(packed.content).decode()


def test_what_takes_nothing_packed_gets_it_as_it_is_and_caches_are_told_so(browser: Client) -> None:
    answer = browser.get("/functions/")
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in browser.get("/functions/", headers=TAKES).headers["Vary"]


def test_the_same_page_has_another_length_each_time(browser: Client) -> None:
    lengths = {len(browser.get("/functions/", headers=TAKES).content) for _ in range(12)}
    assert len(lengths) > 1


def test_a_file_streams_as_it_comes(browser: Client) -> None:
    answer = browser.get("/functions/?format=csv", headers=TAKES)
    assert answer.streaming
    assert "Content-Encoding" not in answer.headers


def test_a_bots_answer_keeps_its_etag(superuser: User) -> None:
    token = tokens.make(Wanted("ci", ["read", "admin"]), Actor(superuser)).text
    bot = Client(headers={"Authorization": f"Bearer {token}"})
    address = f"/api/v1/accounts/{make_account().account_id}"
    plain = bot.get(address)
    assert len(plain.content) > 200  # Django leaves shorter ones as they are
    assert bot.get(address, headers=TAKES).headers["ETag"] == plain.headers["ETag"]
