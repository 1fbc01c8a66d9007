"""The part of a Celery worker that keeps the connection to Redis."""

import logging
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer

# At each loss of the connection: a default that will change, for tasks that are acknowledged late; none of ours is.
warnings.filterwarnings("ignore", "\\s*In Celery 5.1 we introduced", CPendingDeprecationWarning)

log = logging.getLogger(__name__)


class Consumer(consumer.Consumer):
    """Celery's own, which outlasts a Redis that dies while messages wait within the worker."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of the broken connection.

        Closing it, kombu tries to give unacknowledged messages back over a connection that it took apart before, and
        what that raises is no connection error: Celery would take it for the end of the worker. The messages are only
        hints, which the tick sends again.
        """
        try:
            super().on_connection_error_after_connected(exc)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next connection has nothing to do with it
            log.warning("what was left of the connection to Redis could not be closed: %r", error)

    def call_soon_ack(self, acknowledge: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject a message soon.

        By then its connection may be lost and taken apart, which Celery, too, would take for the end of the worker.
        """
        return super().call_soon_ack(_unless_lost(acknowledge), *args, **kwargs)  # type: ignore[misc]


def _unless_lost(acknowledge: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(acknowledge)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            acknowledge(*args, **kwargs)
        except AttributeError as error:  # of a channel without a connection: kombu has no other sign of it
            log.warning("a message of a lost connection to Redis could not be acknowledged: %r", error)

    return call
