"""The Celery application: two queues, so that long invocations never hold up deploys, and the beat's schedule."""

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("drydock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "control"
# The nameless exchange routes by queue name alone: no binding table in Redis that a FLUSHALL could take away.
app.conf.task_queues = [
    Queue("control", exchange="", routing_key="control"),
    Queue("invocations", exchange="", routing_key="invocations"),
]
app.autodiscover_tasks()
