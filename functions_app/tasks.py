"""Celery's doors: they wake the services and hold no logic. A message is only a hint; the database is the truth."""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.conf import settings

from functions_app import clock, eventlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import SYNC_LOCK, Kind
from functions_app.models import Run
from functions_app.services import tidy as tidying
from functions_app.services.bases import daily_counts
from functions_app.services.bases.poll_schedule import submit_due
from functions_app.services.bases.streams import seed_streams
from functions_app.services.changes import pushes
from functions_app.services.engine import clock_steps, hand_out, messages, pulses, runs
from functions_app.services.images import forecasts
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.sync import events, run, single_repositories

log = logging.getLogger(__name__)


@shared_task(name="functions_app.tasks.execute_run")
def execute_run(run_id: int) -> bool:
    """Do what is due of a run; a message that comes twice finds nothing to do."""
    owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{threading.get_ident() % 100_000}:{uuid.uuid4().hex[:12]}"
    return runs.execute(run_id, owner)


@shared_task(name="functions_app.tasks.tick")
def tick() -> int:
    """Hand out every run that is due."""
    clock_steps.look()
    handed_out = hand_out.hand_out_due()
    pulses.note_tick()  # before it waits for whoever numbers: it is alive
    eventlog.number_new()
    return handed_out


@shared_task(name="functions_app.tasks.start_sync")
def start_sync() -> bool:
    """Start the periodic sync, unless one is under way. Nobody waits for it: it asks what calls some functions, too."""
    return _start(partial(run.submit, triggers=True))


@shared_task(name="functions_app.tasks.start_due")
def start_due() -> list[str]:
    """Start what is due by now or what an event asked for, unless it is under way: polls, readings of repositories."""
    started = {"base_poll": _start(_due_poll), "repositories": _start(lambda _: single_repositories.submit_asked())}
    for rule in pushes.due(clock.now()):
        messages.send_push(rule)
    return [name for name, begun in started.items() if begun]


@shared_task(name="functions_app.tasks.act_on_push")
def act_on_push(rule: int) -> str:
    """Plan or deploy what was pushed to a rule's tag; a message that comes twice finds nothing to do."""
    return pushes.act(rule)


@shared_task(name="functions_app.tasks.receive_events")
def receive_events() -> int:
    """Take what ECR told through the event queues; how many messages were handled."""
    return events.receive().handled


@shared_task(name="functions_app.tasks.count_day")
def count_day() -> int:
    """Count how functions stand today; the first count of a day lets ends of life and overdue days take effect."""
    return daily_counts.count_day(clock.now())


@shared_task(name="functions_app.tasks.start_forecast")
def start_forecast() -> bool:
    """Start the daily lifecycle forecast, if it is due and none is under way."""
    return forecasts.is_due(clock.now()) and _start(forecasts.submit)


@shared_task(name="functions_app.tasks.catch_up")
def catch_up() -> list[str]:
    """Start the poll and the sync that are late or never were, and tell which: beat asks for it when it starts.

    Before that, what an upgrade knows of more runtimes and their dates reaches the streams.
    """
    clock_steps.look_after_absence()
    log.info("base streams that are new: %d", seed_streams())
    late = ["base_poll"] if _start(_due_poll) else []
    since = clock.now() - timedelta(seconds=settings.ENV.sync_every)
    synced = Run.objects.filter(kind=Kind.SYNC, lock=SYNC_LOCK, created_at__gt=since, created_at__lte=clock.latest())
    if not synced.exists() and _start(run.submit):
        late.append("sync")
    return late


@shared_task(name="functions_app.tasks.tidy")
def tidy() -> str:
    """Take away what would grow for ever; what went is in the worker's log."""
    gone = tidying.tidy(clock.now())
    log.info("tidied: %s", gone)
    return str(gone)


def _due_poll(actor: Actor) -> Run | None:
    del actor  # it is the schedule's
    return submit_due(clock.now())


def _start(submit: Callable[[Actor], Run | None]) -> bool:
    try:
        return submit(SCHEDULE) is not None
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
        log.info("not started: %s", error)
        return False
