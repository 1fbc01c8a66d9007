"""If-Match: a change of what somebody else has changed meanwhile is not made, and of two at once one is."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from functions_app.models import AuditEntry, FreshnessPolicy
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_stream, make_version

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1"
EVERYTHING = ["read", "invoke", "deploy:nonprod", "deploy:prod", "patch", "approve", "admin"]


@pytest.fixture
def text(superuser: User, valkey: Valkey) -> str:
    """A token of an administrator."""
    return tokens.make(Wanted("ci", EVERYTHING), Actor(superuser)).text


@pytest.fixture
def bot(text: str) -> Client:
    """A bot that shows it."""
    return Client(headers={"Authorization": f"Bearer {text}"})


@dataclass(frozen=True)
class Thing:
    """Something that can be edited: where it is read, and how it is changed to one thing and another."""

    read: str
    change: str
    method: str
    first: dict[str, Any]
    second: dict[str, Any]


def policy(viewer: User) -> Thing:
    """A policy of freshness."""
    path = f"/policies/{FreshnessPolicy.objects.create(max_days=30).pk}"
    return Thing(path, path, "patch", {"max_days": 7}, {"max_days": 8})


def stream(viewer: User) -> Thing:
    """A company's own base."""
    path = f"/bases/{make_stream('acme', reference='ghcr.io/acme/base:1', own=True).pk}/settings"
    return Thing(path, path, "patch", {"enabled": False}, {"enabled": True})


def account(viewer: User) -> Thing:
    """An account."""
    path = f"/accounts/{make_account().account_id}"
    return Thing(path, path, "patch", {"colour": "red"}, {"colour": "teal"})


def smoke_test(viewer: User) -> Thing:
    """A function's smoke test."""
    function = make_function(make_account())
    make_version(function, 1)
    make_alias(function, "live", 1)
    path = f"/functions/{function.pk}/smoke-test"
    return Thing(path, path, "put", {"status": 200}, {"status": 201})


def person(viewer: User) -> Thing:
    """Somebody who may sign in."""
    return Thing("/people/vera", "/people/vera", "patch", {"group": "operator"}, {"group": "approver"})


def token(viewer: User) -> Thing:
    """Another token of the administrator."""
    pk = tokens.make(Wanted("other", ["read"]), Actor(User.objects.get(is_superuser=True))).row.pk
    return Thing(f"/tokens/{pk}", f"/tokens/{pk}/rotate", "post", {}, {})


THINGS = pytest.mark.parametrize("make", [policy, stream, account, smoke_test, person, token])
Make = Callable[[User], Thing]


def send(bot: Client, thing: Thing, body: dict[str, Any], **headers: str) -> Any:
    """One change."""
    data = json.dumps(body).encode()
    method = getattr(bot, thing.method)
    return method(API + thing.change, data, content_type="application/json", headers=headers)


def etag(bot: Client, thing: Thing) -> str:
    """As the thing is now."""
    return str(bot.get(API + thing.read)["ETag"])


@THINGS
def test_a_change_of_what_was_changed_meanwhile_is_not_made(bot: Client, viewer: User, make: Make) -> None:
    thing = make(viewer)
    send(bot, thing, thing.first)
    before = etag(bot, thing)
    assert send(bot, thing, thing.second).status_code in (200, 201)
    now, entries = bot.get(API + thing.read).content, AuditEntry.objects.count()
    refused = send(bot, thing, thing.first, **{"If-Match": before})
    assert (refused.status_code, refused.json()["code"]) == (412, "changed")
    assert bot.get(API + thing.read).content == now
    assert AuditEntry.objects.count() == entries


@THINGS
def test_a_change_of_what_is_as_it_was_read_is_made_and_so_is_one_that_does_not_ask(
    bot: Client, viewer: User, make: Make
) -> None:
    thing = make(viewer)
    send(bot, thing, thing.first)
    made = send(bot, thing, thing.second, **{"If-Match": f'"x", {etag(bot, thing)}'})
    assert made.status_code in (200, 201)
    assert send(bot, thing, thing.first).status_code in (200, 201)
    assert send(bot, thing, thing.second, **{"If-Match": "*"}).status_code in (200, 201)
    assert send(bot, thing, thing.first, **{"If-Match": f"W/{etag(bot, thing)}"}).status_code == 412


@THINGS
def test_of_two_changes_of_one_state_at_once_one_is_made(bot: Client, text: str, viewer: User, make: Make) -> None:
    thing = make(viewer)
    send(bot, thing, thing.first)
    before = etag(bot, thing)

    def change(_: int) -> int:
        sender = Client(headers={"Authorization": f"Bearer {text}"})
        try:
            return int(send(sender, thing, thing.second, **{"If-Match": before}).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(change, range(4)))
    assert statuses[0] in (200, 201)
    assert statuses[1:] == [412, 412, 412]


def test_of_two_administrators_who_shut_each_other_out_at_once_one_is_left(superuser: User, valkey: Valkey) -> None:
    names = [superuser.username, User.objects.create_superuser("ada", password="a long password").username]
    people = [User.objects.get(username=name) for name in names]
    texts = [tokens.make(Wanted("ci", EVERYTHING), Actor(person)).text for person in people]

    def shut_out(text: str, name: str) -> int:
        sender = Client(headers={"Authorization": f"Bearer {text}"})
        try:
            body = json.dumps({"group": "viewer"})
            return int(sender.patch(f"{API}/people/{name}", body, content_type="application/json").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(shut_out, texts, reversed(names)))
    assert User.objects.filter(is_superuser=True).count() == 1
    assert statuses[0] == 200
    assert statuses[1] in (403, 422)  # they were none any more, or the only one left


def test_a_change_that_compares_nothing_does_not_pass_for_one_that_does(bot: Client) -> None:
    answer = bot.post(f"{API}/syncs", b"{}", content_type="application/json", headers={"If-Match": '"x"'})
    assert (answer.status_code, answer.json()["detail"]) == (400, "If-Match is not looked at here.")


def test_a_change_tells_the_etag_that_the_next_one_names(bot: Client, viewer: User) -> None:
    thing = policy(viewer)
    told = send(bot, thing, thing.first)["ETag"]
    assert send(bot, thing, thing.second, **{"If-Match": told}).status_code == 200


def test_an_etag_is_of_the_whole_answer_too(bot: Client, viewer: User) -> None:
    """What is not edited may change: it is sent again, and a change of what was read before is made."""
    thing = account(viewer)
    before = etag(bot, thing)
    assert bot.get(API + thing.read, headers={"If-None-Match": before}).status_code == 304
    as_text = bot.get(API + thing.read, headers={"Accept": "text/plain"})["ETag"]
    assert as_text != before
    assert send(bot, thing, thing.first, **{"If-Match": as_text}).status_code == 200


def test_what_is_sent_is_changed_and_the_rest_is_left(bot: Client) -> None:
    row = FreshnessPolicy.objects.create(max_days=30, max_releases=2, tag_key="team")
    changed = bot.patch(f"{API}/policies/{row.pk}", b'{"max_days": null}', content_type="application/json").json()
    assert (changed["max_days"], changed["max_releases"], changed["tag_key"]) == (None, 2, "team")


def test_nothing_is_taken_away_that_was_changed_meanwhile(bot: Client) -> None:
    row = FreshnessPolicy.objects.create(max_days=30)
    path = f"{API}/policies/{row.pk}"
    before = bot.get(path)["ETag"]
    FreshnessPolicy.objects.update(max_days=31)
    assert bot.delete(path, headers={"If-Match": before}).status_code == 412
    assert bot.delete(path, headers={"If-Match": bot.get(path)["ETag"]}).status_code == 200
    assert not FreshnessPolicy.objects.exists()
    assert bot.delete(path).status_code == 404
