"""The Celery application: two queues, so that long invocations never hold up deploys, and the beat's schedule."""

import os

from celery import Celery
from celery.signals import beat_init
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("drydock")
app.set_default()  # in every thread it is the one that `current_app` means
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "control"
# The nameless exchange routes by queue name alone: no binding table in Redis that a FLUSHALL could take away.
app.conf.task_queues = [
    Queue("control", exchange="", routing_key="control"),
    Queue("invocations", exchange="", routing_key="invocations"),
]
app.autodiscover_tasks()


@beat_init.connect
def _catch_up(**_: object) -> None:
    """Beat itself waits a whole period before it starts anything: a new installation would show nothing till then."""
    app.send_task("functions_app.tasks.catch_up", queue="control")
