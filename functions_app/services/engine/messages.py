"""The messages that wake workers. One is only a hint: the database is the truth, and the tick sends it again."""

import logging
from datetime import timedelta

from celery import current_app
from kombu.exceptions import OperationalError

from functions_app.domain.runs import Queue

MESSAGE_LIFE = timedelta(minutes=1)  # after which no worker takes it; clocks of senders and workers may differ so far

server_log = logging.getLogger(__name__)


def send_push(rule_id: int) -> None:
    """Wake a worker for a rule whose tag was pushed; the next look at what is due does it again."""
    try:
        current_app.send_task(
            "functions_app.tasks.act_on_push",
            args=[rule_id],
            queue=Queue.READING.value,
            expires=MESSAGE_LIFE.total_seconds(),
            retry=False,
        )
    except (OperationalError, OSError) as error:
        server_log.warning("push rule %s: no message sent, the next look will: %s", rule_id, error)


def send(run_id: int, queue: Queue, priority: int, countdown: float = 0) -> None:
    """Wake a worker for this run, after so many seconds. A broker that is away is no failure: the tick is there."""
    try:
        current_app.send_task(
            "functions_app.tasks.execute_run",
            args=[run_id],
            queue=queue.value,
            priority=priority,
            countdown=countdown or None,
            expires=countdown + MESSAGE_LIFE.total_seconds(),
            retry=False,
        )
    except (OperationalError, OSError) as error:
        server_log.warning("run %s: no message sent, the tick will: %s", run_id, error)
