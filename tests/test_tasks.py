"""Celery's doors: what beat asks for when it starts."""

import dataclasses
from datetime import timedelta

import pytest
from django.conf import settings

from dashboard.schedule import beat_schedule
from functions_app import clock
from functions_app.domain.runs import Kind
from functions_app.models import BaseStream, Run
from functions_app.services.bases.streams import seed_streams
from functions_app.tasks import catch_up, receive_events, start_due
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


def kinds() -> list[str]:
    return list(Run.objects.order_by("pk").values_list("kind", flat=True))


def test_a_new_installation_polls_and_syncs_at_once_and_only_once(valkey: Valkey) -> None:
    assert catch_up() == ["base_poll", "sync"]
    assert catch_up() == []
    assert kinds() == ["base_poll", "sync"]


def test_what_was_missed_while_nothing_ran_is_caught_up(valkey: Valkey) -> None:
    catch_up()
    Run.objects.filter(kind=Kind.BASE_POLL).update(status="succeeded", created_at=clock.now() - timedelta(days=1))
    assert catch_up() == ["base_poll"]


def test_an_upgrade_brings_new_runtimes_when_beat_starts_and_switches_nothing_on() -> None:
    seed_streams()
    BaseStream.objects.filter(name="python:3.14").delete()
    BaseStream.objects.filter(name="ruby:3.2").update(enabled=False)

    catch_up()

    assert BaseStream.objects.get(name="python:3.14").enabled
    assert not BaseStream.objects.get(name="ruby:3.2").enabled


def test_a_reading_after_an_event_is_not_taken_for_a_sync(valkey: Valkey) -> None:
    Run.objects.create(
        kind=Kind.SYNC, lock="repositories", status="succeeded", title="Read team/app", created_at=clock.now()
    )

    assert "sync" in catch_up()


def test_nothing_is_begun_that_is_not_due(valkey: Valkey) -> None:
    BaseStream.objects.create(name="golden", reference="x.y/z:1", next_poll_at=clock.now() + timedelta(hours=1))

    assert start_due() == []
    assert not Run.objects.exists()


def test_beat_takes_events_only_where_there_are_queues() -> None:
    assert receive_events() == 0
    assert "events" not in settings.CELERY_BEAT_SCHEDULE
    assert settings.CELERY_BEAT_SCHEDULE["start_due"]["schedule"] == 5.0

    queues = dataclasses.replace(settings.ENV, event_queues=("arn:aws:sqs:eu-west-1:111111111111:ecr",))
    assert beat_schedule(queues)["events"]["task"] == receive_events.name


def test_no_message_of_beat_runs_out_by_a_clock_that_is_half_a_minute_wrong() -> None:
    lives = {name: entry["options"]["expires"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}

    assert all(life >= 60 for life in lives.values()), lives
