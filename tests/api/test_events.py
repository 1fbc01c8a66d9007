"""`/events`: what happened after a number, to whom it may be told, and what is not kept any more."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock, eventlog
from functions_app.domain.events import EventKind
from functions_app.models import Event
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_function

pytestmark = pytest.mark.django_db


def bot_of(person: User, **wanted: Any) -> Client:
    made = tokens.make(Wanted("bot", ["read"], **wanted), Actor(person))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture(autouse=True)
def _rested(valkey: Valkey) -> None:
    """No token of a test before has asked too often: where tables are rolled back, ours has its number."""
    valkey.flush()


@pytest.fixture
def bot(viewer: User) -> Client:
    """A bot that gets to everything."""
    return bot_of(viewer)


def happen(*arns: str, kind: EventKind = EventKind.RUN_ENDED) -> None:
    eventlog.tell(*(eventlog.event(kind, f"{kind} {arn}", arn=arn, run=7) for arn in arns))


def read(bot: Client, query: str = "") -> dict[str, Any]:
    answer = bot.get(f"/api/v1/events{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_events_are_read_on_from_the_last_one(bot: Client) -> None:
    happen("", "")
    first = read(bot)
    assert ([each["sequence"] for each in first["events"]], first["last"], first["more"]) == ([1, 2], 2, False)
    assert first["text"] == "run.ended"
    happen("")
    again = read(bot, f"?after={first['last']}")
    assert ([each["sequence"] for each in again["events"]], again["events"][0]["run"]) == ([3], 7)
    assert read(bot, "?after=3")["events"] == []


def test_without_a_number_the_newest_are_told_and_with_zero_the_oldest(
    bot: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "PAGE", 2)
    happen("", "", "", "", "")
    newest, oldest = read(bot), read(bot, "?after=0")
    assert ([each["sequence"] for each in newest["events"]], newest["more"]) == ([4, 5], False)
    assert ([each["sequence"] for each in oldest["events"]], oldest["last"], oldest["more"]) == ([1, 2], 2, True)


def test_some_kinds_alone_are_told_where_they_are_asked_for(bot: Client) -> None:
    happen("", kind=EventKind.RUN_BEGUN)
    happen("", kind=EventKind.ALIAS_MOVED)
    happen("", kind=EventKind.BASE_RELEASED)
    found = read(bot, "?kind=run.begun&kind=base.released")
    assert [each["kind"] for each in found["events"]] == ["run.begun", "base.released"]
    assert bot.get("/api/v1/events?kind=run.exploded").status_code == 400


def test_a_token_for_some_functions_hears_of_those_and_goes_on_past_the_others(viewer: User) -> None:
    account = make_account()
    ours, others = (make_function(account, name).arn for name in ("billing-api", "orders"))
    happen(others, ours, "", others)
    found = read(bot_of(viewer, functions=["billing-*"]))
    assert ([each["function"] for each in found["events"]], found["last"]) == ([ours], 4)


@pytest.mark.parametrize("after", [1, 9])
def test_who_asks_after_what_is_gone_or_never_was_is_told_to_begin_anew(bot: Client, after: int) -> None:
    happen("", "", "", "")
    eventlog.number_new()
    Event.objects.filter(number__lt=4).update(at=clock.now() - timedelta(days=8))
    eventlog.outlived(clock.now()).delete()
    answer = bot.get(f"/api/v1/events?after={after}")
    assert (answer.status_code, answer.json()["code"]) == (410, "expired")
    assert "410" in bot.get("/api/v1/openapi.json").json()["paths"]["/api/v1/events"]["get"]["responses"]
    assert read(bot, "?after=3")["last"] == 4


def test_a_stream_of_them_is_refused_as_a_page_is() -> None:
    assert Client().get("/api/v1/events", headers={"Accept": "text/event-stream"}).status_code == 401
