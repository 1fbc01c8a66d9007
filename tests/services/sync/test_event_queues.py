"""Event queues: what is deleted, what stays, and what is told of a queue that cannot be read."""

import dataclasses
import json
import logging

import pytest
from pytest_django.fixtures import Settings

from functions_app.models import Account
from functions_app.services.sync import events as registry_events
from tests.factories import make_stream
from tests.services.sync.events_stage import GOLDEN, Events, host, pushed

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_no_event_is_deleted_and_counted_without_its_text(
    events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    for body in ("not JSON: hunter2", "[]", json.dumps({"source": "aws.ecr", "detail-type": "ECR Image Action"})):
        events.send(body)
    with caplog.at_level(logging.INFO):
        assert events.receive(3) == registry_events.Received(unreadable=3)

    assert events.left() == 0
    assert "messages were no events and were deleted" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_message_that_could_not_be_handled_stays_in_the_queue(
    ours: Account, events: Events, settings: Settings, valkey: object
) -> None:
    make_stream(GOLDEN, reference=f"{host(ours)}/{GOLDEN}:stable")
    settings.DRYDOCK_KINDS = "functions_app.services.kinds.THERE_IS_NO_SUCH_TABLE"
    events.send(json.dumps(pushed(ours)))

    with pytest.raises(ImportError):
        events.receive(1)

    assert events.left() == 1


def test_a_queue_that_is_not_there_is_told_once_and_spoils_no_other(
    events: Events, settings: Settings, ours: Account, caplog: pytest.LogCaptureFixture
) -> None:
    missing = events.arn.replace("drydock-events", "drydock-missing")
    settings.ENV = dataclasses.replace(settings.ENV, event_queues=(missing, events.arn))
    events.send(json.dumps(pushed(ours)))

    assert events.receive(1).handled == 1
    registry_events.receive()

    assert caplog.text.count("There is no queue") == 1
    assert "DRYDOCK_EVENT_QUEUES" in caplog.text
