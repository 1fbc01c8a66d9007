"""The Celery application and its queues."""

import logging
import os
import time
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, heartbeat_sent, task_prerun
from kombu import Queue
from kombu.exceptions import OperationalError as QueueError

from dashboard.garbage import spare_loaded
from functions_app.domain import runs
from functions_app.services.engine import clocks, pulses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

AGAIN = 1.0  # seconds after which a Redis that was away is asked again
log = logging.getLogger(__name__)

app = Celery("drydock")
app.set_default()  # in every thread it is the one that `current_app` means
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = runs.Queue.READING.value
# The nameless exchange routes by queue name alone: no binding table in Redis that a FLUSHALL could take away.
app.conf.task_queues = [Queue(name.value, exchange="", routing_key=name.value) for name in runs.Queue]
app.autodiscover_tasks()


@beat_init.connect
def _catch_up(**_: object) -> None:
    """Beat itself waits a whole period before it starts anything: a new installation would show nothing till then.

    Without Redis beat has nothing else to do than to wait for it.
    """
    while True:
        try:
            app.send_task("functions_app.tasks.catch_up", queue=runs.Queue.READING.value)
            return
        except QueueError as error:
            log.warning("catching up waits for Redis: %s", error)
            time.sleep(AGAIN)


@beat_init.connect
def _watch_clock_of_beat(**_: object) -> None:
    clocks.keep_measuring("beat")


@celeryd_after_setup.connect
def _watch_clock_of_worker(sender: str, **_: object) -> None:
    """From a thread, not as a task: a worker whose clock is ahead takes no messages."""
    clocks.keep_measuring(f"worker {sender.partition('@')[0]}")


@celeryd_after_setup.connect
def _spare_loaded(**_: object) -> None:
    from functions_app.services.engine.kinds import kinds  # Django is set up by now

    kinds()  # with all that runs do
    spare_loaded()


@heartbeat_sent.connect
def _give_sign_of_life(**_: object) -> None:
    """Every two seconds, from the loop that takes messages."""
    pulses.tell(app.amqp.queues.consume_from)


@task_prerun.connect
def _note_message(task: Any, **_: object) -> None:
    pulses.note_message((task.request.delivery_info or {}).get("routing_key", ""))
