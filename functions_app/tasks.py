"""Celery's doors: they wake the services and hold no logic. A message is only a hint; the database is the truth."""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind
from functions_app.models import Run
from functions_app.services import base_watch, forecasts, runs, sync
from functions_app.services import tidy as tidying

log = logging.getLogger(__name__)


@shared_task(name="functions_app.tasks.execute_run")
def execute_run(run_id: int) -> bool:
    """Do what is due of a run; a message that comes twice finds nothing to do."""
    owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{threading.get_ident() % 100_000}:{uuid.uuid4().hex[:12]}"
    return runs.execute(run_id, owner)


@shared_task(name="functions_app.tasks.tick")
def tick() -> int:
    """Hand out every run that is due."""
    return runs.hand_out_due()


@shared_task(name="functions_app.tasks.start_sync")
def start_sync() -> bool:
    """Start the periodic sync, unless one is under way."""
    return _start(sync.submit)


@shared_task(name="functions_app.tasks.start_base_poll")
def start_base_poll() -> bool:
    """Start the periodic poll of the base streams, unless one is under way."""
    return _start(base_watch.submit_poll)


@shared_task(name="functions_app.tasks.start_forecast")
def start_forecast() -> bool:
    """Start the daily lifecycle forecast, if it is due and none is under way."""
    return forecasts.is_due(timezone.now()) and _start(forecasts.submit)


@shared_task(name="functions_app.tasks.catch_up")
def catch_up() -> list[str]:
    """Start the poll and the sync that are late or never were, and tell which: beat asks for it when it starts."""
    late = []
    for kind, every, submit in (
        (Kind.BASE_POLL, settings.ENV.base_poll_every, base_watch.submit_poll),
        (Kind.SYNC, settings.ENV.sync_every, sync.submit),
    ):
        since = timezone.now() - timedelta(seconds=every)
        if not Run.objects.filter(kind=kind, created_at__gt=since).exists() and _start(submit):
            late.append(str(kind))
    return late


@shared_task(name="functions_app.tasks.tidy")
def tidy() -> str:
    """Take away what would grow for ever; what went is in the worker's log."""
    gone = tidying.tidy(timezone.now())
    log.info("tidied: %s", gone)
    return str(gone)


def _start(submit: Callable[[User | None], Run]) -> bool:
    try:
        submit(None)
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
        log.info("not started: %s", error)
        return False
    return True
