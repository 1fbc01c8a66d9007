"""The Celery application and its queues."""

import os

from celery import Celery
from celery.signals import beat_init
from kombu import Queue

from functions_app.domain import runs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("drydock")
app.set_default()  # in every thread it is the one that `current_app` means
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = runs.Queue.READING.value
# The nameless exchange routes by queue name alone: no binding table in Redis that a FLUSHALL could take away.
app.conf.task_queues = [Queue(name.value, exchange="", routing_key=name.value) for name in runs.Queue]
app.autodiscover_tasks()


@beat_init.connect
def _catch_up(**_: object) -> None:
    """Beat itself waits a whole period before it starts anything: a new installation would show nothing till then."""
    app.send_task("functions_app.tasks.catch_up", queue=runs.Queue.READING.value)
