"""The part of a Celery worker that keeps the connection to Redis."""

import logging
import warnings

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
