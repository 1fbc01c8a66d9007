"""Runs: submit, execute, cancel, and the tick that hands out what is due: one entry point for web, API and tasks."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from functions_app import clock, runlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import ACTIVE, Kind, Queue, Status, StepStatus
from functions_app.domain.text import storable
from functions_app.models import Account, Function, Run, RunStep
from functions_app.runlog import Logger, announce
from functions_app.services.engine import health
from functions_app.services.engine.execution import COUNTDOWN_LIMIT, Execution
from functions_app.services.engine.leases import DATABASE_AWAY, Lease, LeaseLost
from functions_app.services.engine.steps import RunKind
from functions_app.services.people import access

RESEND = timedelta(seconds=5)  # unanswered for so long while its queue is empty, a message is lost and sent again
MESSAGE_LIFE = timedelta(minutes=1)  # after which no worker takes it; clocks of senders and workers may differ so far
HAND_OUTS = 200  # per tick: the rest is due in the next one

server_log = logging.getLogger(__name__)


def kinds() -> Mapping[Kind, RunKind]:
    """Every kind of run there is, from the place that the setting DRYDOCK_KINDS names."""
    found: Mapping[Kind, RunKind] = import_string(settings.DRYDOCK_KINDS)
    return found


def submit(
    kind: Kind,
    *,
    title: str,
    plan: dict[str, Any],
    actor: User | None,
    account: Account | None = None,
    function: Function | None = None,
    lock: str = "",
) -> Run:
    """Store a run with its steps and tell a worker once the transaction is through.

    `actor` None is the schedule, which leaves no audit entry. Raises BUSY, naming the run that holds the same lock.
    """
    now = clock.now()
    actor_name = actor.get_username() if actor else access.SCHEDULE
    try:
        with transaction.atomic():
            run = Run.objects.create(
                kind=kind,
                status=Status.QUEUED,
                title=storable(title, 300),
                plan=plan,
                actor=actor,
                actor_name=actor_name,
                account=account,
                function=function,
                lock=lock,
                created_at=now,
                wake_at=now,
                handed_out_at=now,
            )
            RunStep.objects.bulk_create(
                RunStep(run=run, position=position, name=spec.name, title=spec.title, status=StepStatus.PENDING)
                for position, spec in enumerate(kinds()[kind].steps, 1)
            )
            if actor:
                target = function.arn if function else str(account or title)
                access.audit(actor, f"{kind}.submit", target, plan, f"run {run.pk} accepted", run)
    except IntegrityError:
        if not lock:
            raise
        raise _busy(Run.objects.filter(lock=lock, status__in=ACTIVE).first()) from None
    transaction.on_commit(lambda: _send(run.pk, kinds()[kind].queue))
    return run


def _busy(holder: Run | None) -> DrydockError:
    if holder is None:
        return DrydockError(Code.BUSY, "Another change was ending at this very moment.", next_step="Try again now.")
    return DrydockError(
        Code.BUSY,
        f"Run {holder.pk} ({holder.title}, started by {holder.actor_name}) is under way here; only one may be.",
        next_step=f"Wait for run {holder.pk} or cancel it, then try again.",
    )


def _send(run_id: int, queue: Queue, countdown: float = 0) -> None:
    """Wake a worker. A broker that is away is no failure: the tick finds the run in the database."""
    try:
        current_app.send_task(
            "functions_app.tasks.execute_run",
            args=[run_id],
            queue=queue.value,
            countdown=countdown or None,
            expires=countdown + MESSAGE_LIFE.total_seconds(),
            retry=False,
        )
    except (OperationalError, OSError) as error:
        server_log.warning("run %s: no message sent, the tick will: %s", run_id, error)


def execute(run_id: int, owner: str, kinds: Mapping[Kind, RunKind] | None = None) -> bool:
    """Do what is due of this run, as worker `owner` (unique per call). False: there was nothing to do, or not for us.

    May be called at any time and any number of times: only one call at a time gets the run.
    """
    claimed = Lease.claim(run_id, owner)
    if claimed is None:
        return False
    lease, run = claimed
    kind = (kinds or globals()["kinds"]())[Kind(run.kind)]
    log = Logger(run_id, owner)
    try:
        with lease.heartbeat():
            wait = Execution(run, kind, lease, log).carry_on()
    except LeaseLost:
        server_log.warning("run %s: %s lost its lease and stopped", run_id, owner)
        return False  # nothing more is written: steps, status and log are the other worker's
    except DATABASE_AWAY:
        server_log.exception("run %s: the database is away; the run goes on when its lease has run out", run_id)
        connections.close_all()  # a broken connection stays broken
        return False
    if wait is not None and wait <= COUNTDOWN_LIMIT:
        _send(run_id, kind.queue, wait)
    return True


def cancel(run: Run, actor: User | None) -> bool:
    """Ask for the end of a run; it takes effect between steps, and at once while it waits. False: it had ended."""
    now = clock.now()
    name = actor.get_username() if actor else access.SCHEDULE
    active = Run.objects.filter(pk=run.pk, status__in=ACTIVE)
    with transaction.atomic():
        asked = active.filter(cancel_requested_at=None).update(
            cancel_requested_at=now, cancel_requested_by=name, revision=F("revision") + 1
        )
        if asked:
            access.audit(actor, "run.cancel", f"run {run.pk}: {run.title}", {}, "asked for", run)
    if not asked:
        return active.exists()
    runlog.append_message(run.pk, "warning", f"{name} asked to cancel this run.")
    # One that waits is due now; a worker then takes back what must be taken back.
    waiting = Run.objects.filter(pk=run.pk, status__in=(Status.QUEUED, Status.WAITING))
    if waiting.update(wake_at=now, handed_out_at=now):
        queue = kinds()[Kind(run.kind)].queue
        transaction.on_commit(lambda: _send(run.pk, queue))
    announce(run.pk)
    return True


def hand_out_due() -> int:
    """Send a message for every run that is due or whose lease ran out; how many. Two ticks at once do no harm.

    `handed_out_at` is compared and set, so that a run is told once, and again only when its message is surely gone.
    First come those that a worker left, then what people started, then the schedule's, and then those that were told
    before, the longest ago first: however many there are, each is told before one is told twice.
    """
    now = clock.now()
    due = Q(status__in=(Status.QUEUED, Status.WAITING), wake_at__lte=now)
    orphaned = Q(status__in=(Status.RUNNING, Status.UNDOING), lease_until__lt=now)
    told = due & Q(handed_out_at__gte=F("wake_at")) | orphaned & Q(handed_out_at__gte=F("lease_until"))
    rank = Case(
        When(told, then=Value(3)),
        When(orphaned, then=Value(0)),
        When(actor_name=access.SCHEDULE, then=Value(2)),
        default=Value(1),
    )
    quiet = Q(handed_out_at__lte=now - MESSAGE_LIFE)
    quiet |= Q(handed_out_at__lte=now - RESEND) & ~Q(kind__in=_waiting_kinds())
    found = (
        Run.objects.filter(due | orphaned)
        .filter(~told | quiet)
        .order_by(rank, F("handed_out_at").asc(nulls_first=True), "wake_at", "pk")
    )
    sent = 0
    for run_id, kind, before in list(found.values_list("pk", "kind", "handed_out_at")[:HAND_OUTS]):
        if Run.objects.filter(pk=run_id, handed_out_at=before).update(handed_out_at=now):
            _send(run_id, kinds()[Kind(kind)].queue)
            sent += 1
    return sent


def _waiting_kinds() -> list[Kind]:
    """Kinds whose messages lie in their queue: none of those is lost, and telling again would only make more."""
    return [name for name, kind in kinds().items() if health.waiting_messages(kind.queue)]
