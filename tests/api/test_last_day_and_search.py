"""The last 24 hours and what a pasted text leads to: as the overview and the one box tell them."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.api import last_day as answering
from functions_app.models import AliasMove, Function, Run
from functions_app.services.inventory.overview.last_day import last_day
from functions_app.services.people import tokens
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.people.tokens import Wanted
from tests import factories
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db
API = "/api/v1"


def bot_of(person: User, **reach: Any) -> Client:
    """A bot of theirs that may read."""
    made = tokens.make(Wanted("ci", ["read"], **reach), Actor(person))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture
def bot(operator: User, valkey: Valkey) -> Client:
    """One that gets to everything."""
    return bot_of(operator)


@pytest.fixture
def function() -> Function:
    """A function of production, with an alias that was moved outside a moment ago."""
    production = factories.make_account("production")
    function = factories.make_user(production, None, "billing-api", search_text="billing-api live")
    AliasMove.objects.create(function=function, alias="live", version="2", at=clock.now())
    return function


def ran(function: Function | None, kind: str, status: str, by: str) -> Run:
    """A run that has just ended."""
    now = clock.now()
    times = {"created_at": now, "ended_at": now}
    return Run.objects.create(kind=kind, status=status, function=function, title=kind, actor_name=by, **times)


def test_the_last_day_tells_what_people_did_and_what_came_by_itself(bot: Client, function: Function) -> None:
    failed, done = ran(None, "sync", "failed", SCHEDULE.name), ran(function, "patch", "succeeded", "olga")
    told = bot.get(f"{API}/overview/last-day").json()
    assert told["text"] == "The last 24 hours: 2 by people, 1 by itself, 1 failed."
    patched, moved = told["people"]
    assert (patched["what"], patched["run"], patched["by"], patched["undo"]) == ("run", done.pk, "olga", True)
    assert (moved["what"], moved["function"], moved["alias"], moved["run"]) == ("moved", "billing-api", "live", None)
    assert [(row["run"], row["status"]) for row in told["others"]] == [(failed.pk, "failed")]


def test_the_last_day_says_where_more_happened_than_it_lists(
    bot: Client, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "last_day", partial(last_day, read=1))
    assert bot.get(f"{API}/overview/last-day").json()["more_by_people"] is False
    AliasMove.objects.create(function=function, alias="live", version="3", at=clock.now())
    told = bot.get(f"{API}/overview/last-day").json()
    assert told["text"] == "The last 24 hours: at least 1 by people, 0 by itself, at least 0 failed."
    assert (told["more_by_people"], told["more_by_itself"], len(told["people"])) == (True, False, 1)


def test_the_last_day_is_of_one_account_where_one_is_named(bot: Client, function: Function) -> None:
    factories.make_account("staging")
    assert len(bot.get(f"{API}/overview/last-day?account=production").json()["people"]) == 1
    assert bot.get(f"{API}/overview/last-day?account=staging").json()["people"] == []
    assert bot.get(f"{API}/overview/last-day?account=nobodys").status_code == 400


def test_the_last_day_is_unchanged_to_whoever_has_it_though_time_goes_by(bot: Client, function: Function) -> None:
    first = bot.get(f"{API}/overview/last-day")
    again = bot.get(f"{API}/overview/last-day", headers={"If-None-Match": first["ETag"]})
    assert (first["ETag"][:2], again.status_code) == ("W/", 304)


def test_what_is_pasted_leads_to_the_thing_it_names(bot: Client, function: Function) -> None:
    told = bot.get(f"{API}/search", {"q": f"{function.arn}:live"}).json()
    (found,) = told["functions"]
    assert (found["id"], found["account"], found["qualifier"]) == (function.pk, "production", "live")
    assert told["text"].startswith("1 function. Read as the function billing-api, alias live")
    run = ran(function, "patch", "failed", "olga")
    assert [row["id"] for row in bot.get(f"{API}/search", {"q": f"#{run.pk}"}).json()["runs"]] == [run.pk]


def test_what_leads_nowhere_says_what_it_was_read_as(bot: Client) -> None:
    text = bot.get(f"{API}/search", {"q": "/aws/lambda/nobodys"}).json()["text"]
    assert text == "Nothing found. Read as the log group /aws/lambda/nobodys."
    assert bot.get(f"{API}/search", {"q": "  "}).json()["read_as"] == ""
    assert bot.get(f"{API}/search").status_code == 422


def test_a_search_finds_a_repository_an_image_an_owner_an_account_and_a_base(bot: Client) -> None:
    account = factories.make_account("billing")
    factories.make_user(account, factories.make_release(factories.make_stream("billing-base"), "r"), owner="billing")
    factories.make_image(factories.make_repository(account, "billing/api"), tags=["billing"])
    told = bot.get(f"{API}/search", {"q": "billing"}).json()
    kinds = ("repositories", "images", "accounts", "bases")
    assert {kind: len(told[kind]) for kind in kinds} == dict.fromkeys(kinds, 1)


def test_a_token_finds_what_it_gets_to_alone(operator: User, function: Function, valkey: Valkey) -> None:
    factories.make_function(factories.make_account("staging"), "billing-jobs")
    factories.make_stream("billing-base")
    some = bot_of(operator, functions=["billing-a*"])
    told = some.get(f"{API}/search", {"q": "billing"}).json()
    assert [row["name"] for row in told["functions"]] == ["billing-api"]
    assert told["bases"] == []
    assert some.get(f"{API}/overview/last-day").status_code == 404
