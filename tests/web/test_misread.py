"""What an address asks of a list that the list does not know: said on its page, and no file is made of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def watching(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/runs/?kind=deploy", "“deploy” is not a value of kind"),
        ("/runs/?status=broken", "“broken” is not a value of status"),
        ("/runs/?alias=live", "“alias” is not a filter of this list"),
        ("/runs/?parent=first", "“first” is not a value of parent"),
        ("/audit/?persons=vera", "“persons” is not a filter of this list"),
    ],
)
def test_a_filter_or_value_that_a_list_does_not_know_is_said(watching: Client, address: str, sentence: str) -> None:
    assert sentence in watching.get(address).content.decode()


def test_what_there_is_is_named_beside_it(watching: Client) -> None:
    page = watching.get("/runs/?kind=deploy").content.decode()
    assert "which knows sync, base_poll, deployment" in page


@pytest.mark.parametrize("address", ["/runs/", "/runs/?kind=sync&status=active&page=2", "/audit/?person=vera&about=x"])
def test_nothing_is_said_of_an_address_that_is_understood(watching: Client, address: str) -> None:
    assert "of this list" not in watching.get(address).content.decode()


def test_a_file_could_not_say_it_and_is_refused(watching: Client) -> None:
    answer = watching.get("/runs/?kind=deploy&format=csv")
    assert answer.status_code == 400
    assert "“deploy” is not a value of kind" in answer.content.decode()


def test_nor_could_it_say_what_of_an_address_is_not_heard(watching: Client) -> None:
    tags = "&".join(f"tag=of%3D{number}" for number in range(11))
    for address, what in ((f"/functions/?{tags}", "of=10"), ("/functions/?alias=live&alias=canary", "canary")):
        assert f"“{what}” is left out" in watching.get(address).content.decode()
        assert watching.get(f"{address}&format=csv").status_code == 400


def test_an_address_with_a_hundred_of_them_gets_a_few_sentences(watching: Client) -> None:
    page = watching.get("/runs/?" + "&".join(f"a{number}=1" for number in range(100))).content.decode()
    assert page.count("is not a filter of this list") == 5
    assert "95 more of its address is not understood" in page


def test_what_was_typed_is_shown_escaped_and_cut(watching: Client) -> None:
    page = watching.get("/runs/", {"kind": "<b>" + "x" * 500}).content.decode()
    assert "“&lt;b&gt;xxx" in page
    assert "x" * 60 + "…" not in page
