"""The part of a worker that keeps the connection to Redis: a message of one that is lost ends no worker."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from celery.worker import consumer as celery_consumer
from kombu import Connection

from dashboard.consumer import Consumer
from tests.conftest import Valkey

log = logging.getLogger("a worker")


class Hub:
    """Calls at once what is to be called soon."""

    def call_soon(self, callback: Any) -> Any:
        return callback()


def taken(connection: Connection) -> Any:
    """A message that was sent and taken, and is not acknowledged yet."""
    queue = connection.SimpleQueue(f"consumer-{uuid4().hex}")
    queue.put("hint")
    return queue.get(timeout=10)


@pytest.fixture
def consumer() -> Consumer:
    """Celery's consumer, as far as it acknowledges messages."""
    found = object.__new__(Consumer)
    found.__dict__["hub"] = Hub()
    return found


def test_a_message_whose_connection_is_lost_is_not_acknowledged_and_the_worker_goes_on(
    consumer: Consumer, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    connection = Connection(f"redis+socket://{valkey.url.removeprefix('unix://')}")
    message, errors = taken(connection), connection.connection_errors
    connection.close()
    message.channel._disconnect_pools()  # what kombu leaves of a connection whose Redis died while it was closed
    consumer.call_soon_ack(message.ack_log_error, log, errors)
    assert "a message of a lost connection to Redis could not be acknowledged" in caplog.text


def test_a_message_of_a_connection_that_stands_is_acknowledged(consumer: Consumer, valkey: Valkey) -> None:
    with Connection(f"redis+socket://{valkey.url.removeprefix('unix://')}") as connection:
        message = taken(connection)
        consumer.call_soon_ack(message.ack_log_error, log, connection.connection_errors)
        assert message.acknowledged


def test_a_connection_that_cannot_be_closed_ends_no_worker(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def taken_apart(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'client'")  # kombu's, where a Redis dies in between

    monkeypatch.setattr(celery_consumer.Consumer, "on_connection_error_after_connected", taken_apart)
    consumer.on_connection_error_after_connected(ConnectionError("gone"))
    assert "what was left of the connection to Redis could not be closed" in caplog.text
