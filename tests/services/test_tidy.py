"""What would grow for ever is taken away; what people did stays."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from functions_app import clock
from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, BrowserSession, LogLine, Plan, Run
from functions_app.services.engine import payloads
from functions_app.services.people import access, sign_in
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.tidy import tidy

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
NOW = clock.now()
LONG_AGO = NOW - timedelta(days=91)


def run_of(actor: Actor, status: Status, ended: bool = True, kind: Kind = Kind.SYNC) -> Run:
    """A run of long ago with two lines."""
    run = Run.objects.create(
        kind=kind,
        status=status,
        title="A run",
        actor=actor.person,
        actor_name=actor.name,
        via=actor.via,
        created_at=LONG_AGO,
        ended_at=LONG_AGO if ended else None,
        line_count=2,
    )
    LogLine.objects.bulk_create(LogLine(run=run, sequence=number, at=LONG_AGO, text="a line") for number in (1, 2))
    return run


def plan_of(actor: Actor, days: int, kind: Kind = Kind.INVOCATION) -> Plan:
    """A plan that expired so many days ago, with a payload."""
    then = NOW - timedelta(days=days)
    body = {payloads.PRIVATE: '{"card": "4111"}'}
    return Plan.objects.create(kind=kind, body=body, maker=actor.person, created_at=then, expires_at=then)


def test_of_a_persons_run_the_lines_go_and_the_page_says_so(operator: Actor) -> None:
    run = run_of(operator, Status.SUCCEEDED, kind=Kind.DEPLOYMENT)
    assert tidy(NOW).log_lines == 2
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    text = client.get(f"/runs/{run.pk}/").content.decode()
    assert "The log of this run was deleted because of its age." in text


def test_a_scheduled_run_goes_as_a_whole_and_one_under_way_stays(operator: Actor) -> None:
    run_of(SCHEDULE, Status.SUCCEEDED)
    going_on = run_of(SCHEDULE, Status.RUNNING, ended=False)
    assert tidy(NOW).runs == 1
    assert list(Run.objects.all()) == [going_on]
    assert going_on.lines.count() == 2


def test_of_children_none_goes_before_the_run_that_keeps_others_alive_has_ended() -> None:
    parent = run_of(SCHEDULE, Status.WAITING, ended=False)
    run_of(SCHEDULE, Status.SUCCEEDED)
    Run.objects.exclude(pk=parent.pk).update(parent=parent, child_key="a")
    assert tidy(NOW).runs == 0
    Run.objects.filter(pk=parent.pk).update(status=Status.SUCCEEDED, ended_at=LONG_AGO)
    tidy(NOW)
    assert not Run.objects.exists()


def test_a_run_of_a_person_who_is_called_schedule_stays_though_they_are_gone() -> None:
    kept = [run_of(Actor(User.objects.create_user(name)), Status.SUCCEEDED) for name in ("schedule", "the schedule")]
    run_of(SCHEDULE, Status.SUCCEEDED)
    User.objects.filter(username="the schedule").delete()
    assert tidy(NOW).runs == 1
    assert set(Run.objects.all()) == set(kept)


def test_what_is_younger_stays(operator: Actor) -> None:
    run = run_of(operator, Status.FAILED)
    Run.objects.update(ended_at=NOW - timedelta(days=89))
    plan_of(operator, 29)
    tidy(NOW)
    assert (run.lines.count(), Plan.objects.count()) == (2, 1)


def test_old_plans_sessions_and_refusals_of_nobody_go_the_rest_of_the_audit_table_stays(operator: Actor) -> None:
    plan_of(operator, 31, Kind.DEPLOYMENT)
    past = timezone.now() - timedelta(days=1)
    BrowserSession.objects.create(session_key="old", session_data="", expire_date=past, since=past, seen=past)
    sign_in.refused("olga", "203.0.113.7")
    for nobody in (
        Actor(None, "chat ops-bot", named="(nobody yet)"),
        Actor(None, "chat ops-bot", named="(chat user U1)"),
    ):
        access.audit(nobody, "chat.link.refused", "chat user U1 of token 1", {}, "refused: no such code")
        access.audit(nobody, "chat.cancel", "chat user U1", {}, "refused: Nobody knows who you are here")
    linked = Actor(operator.person, "chat ops-bot")
    access.audit(linked, "chat.cancel", "chat user U1", {}, "refused: may not look")
    access.audit(linked, "chat.link", "chat user U1 of token 1", {}, "linked")
    access.audit(operator, "run.cancel", "run 1", {}, "asked for")
    AuditEntry.objects.update(at=LONG_AGO)
    tidy(NOW)
    assert not Plan.objects.exists()
    assert not BrowserSession.objects.exists()
    kept = AuditEntry.objects.values_list("action", flat=True)
    assert sorted(kept) == ["chat.cancel", "chat.link", "run.cancel"]


def test_a_payload_that_was_never_sent_is_forgotten_one_that_waits_to_be_sent_is_not(operator: Actor) -> None:
    forgotten, waiting = plan_of(operator, 1), plan_of(operator, 1)
    Run.objects.create(
        kind=Kind.INVOCATION,
        status=Status.QUEUED,
        title="Invoke",
        created_at=NOW,
        actor_name="olga",
        made_from=waiting,
    )
    assert tidy(NOW).payloads == 1
    assert payloads.payload(Plan.objects.get(pk=forgotten.pk)) == ""
    assert payloads.payload(Plan.objects.get(pk=waiting.pk)) == '{"card": "4111"}'


def test_a_plan_stays_as_long_as_its_run_is_under_way_however_long_that_is_paused(operator: Actor) -> None:
    kept = plan_of(operator, 31, Kind.DEPLOYMENT)
    run = run_of(operator, Status.PAUSED, ended=False, kind=Kind.DEPLOYMENT)
    Run.objects.update(made_from=kept)
    assert tidy(NOW).plans == 0
    run.refresh_from_db()
    assert run.made_from == kept
    Run.objects.update(status=Status.SUCCEEDED)
    assert tidy(NOW).plans == 1


def test_a_second_time_finds_nothing(operator: Actor) -> None:
    run_of(operator, Status.SUCCEEDED)
    tidy(NOW)
    assert tidy(NOW).log_lines == 0
