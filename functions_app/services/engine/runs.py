"""Runs: submit and execute, one entry point for web, API and tasks."""

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction

from functions_app import clock, eventlog
from functions_app.aws import quota
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import ACTIVE, Kind, Priority, Queue, Status, StepStatus
from functions_app.domain.text import storable
from functions_app.models import Account, Function, Plan, Run, RunStep
from functions_app.runlog import Logger
from functions_app.services.engine import messages, shares
from functions_app.services.engine.database_state import DATABASE_AWAY
from functions_app.services.engine.execution import COUNTDOWN_LIMIT, Execution
from functions_app.services.engine.kinds import kind_of, kinds
from functions_app.services.engine.leases import Lease, LeaseLost
from functions_app.services.engine.steps import RunKind
from functions_app.services.people import access
from functions_app.services.people.actor import Actor, named

server_log = logging.getLogger(__name__)


def submit(
    kind: Kind,
    *,
    title: str,
    plan: dict[str, Any],
    actor: Actor,
    account: Account | None = None,
    function: Function | None = None,
    lock: str = "",
    made_from: Plan | None = None,
) -> Run:
    """Store a run with its steps and tell a worker once the transaction is through.

    What the schedule does leaves no audit entry. Raises BUSY, naming the run that holds the same lock.
    """
    facts = {"account": account, "function": function, "made_from": made_from}
    priority = Priority.SCHEDULE if actor.is_schedule else Priority.PERSON
    run = _store(kind, title, plan, actor, lock, priority=priority, handed_out_at=clock.now(), **facts)
    transaction.on_commit(lambda: messages.send(run.pk, kinds()[kind].queue, priority))
    return run


def submit_child(
    parent: Run,
    key: str,
    kind: Kind,
    *,
    title: str,
    plan: dict[str, Any],
    function: Function | None,
    lock: str,
    made_from: Plan | None,
) -> Run:
    """The same for a run that another keeps alive, once per key; the tick tells a worker when there is room for it."""
    facts = {"account": function.account if function else None, "function": function, "made_from": made_from}
    person = User.objects.filter(runs=parent).first()  # read anew: they may have been deleted meanwhile
    actor = Actor(person, parent.via, named=parent.actor_name)
    return _store(kind, title, plan, actor, lock, priority=Priority.CHILD, parent=parent, child_key=key, **facts)


def _store(kind: Kind, title: str, plan: dict[str, Any], actor: Actor, lock: str, **facts: Any) -> Run:
    now, specs = clock.now(), kinds()[kind].steps(plan)
    if not specs:
        raise ValueError(f"a run of kind {kind} without a step would never end")
    try:
        with transaction.atomic():
            run = Run.objects.create(
                kind=kind,
                status=Status.QUEUED,
                title=storable(title, 300),
                plan=plan,
                actor=actor.person,
                actor_name=actor.name,
                via=actor.via,
                lock=lock,
                created_at=now,
                wake_at=now,
                **facts,
            )
            RunStep.objects.bulk_create(
                RunStep(
                    run=run,
                    position=position,
                    name=spec.name,
                    title=spec.title,
                    settles=spec.settles,
                    status=StepStatus.PENDING,
                )
                for position, spec in enumerate(specs, 1)
            )
            if not actor.is_schedule:
                target = run.function.arn if run.function else str(run.account or title)
                access.audit(actor, f"{kind}.submit", target, plan, f"run {run.pk} accepted", run)
            eventlog.run_begun(run)
    except IntegrityError:
        if not lock:
            raise
        raise _busy(Run.objects.filter(lock=lock, status__in=ACTIVE).first()) from None
    return run


def _busy(holder: Run | None) -> DrydockError:
    if holder is None:
        return DrydockError(Code.BUSY, "Another change was ending at this very moment.", next_step="Try again now.")
    who = named(holder.actor_name, holder.via)
    return DrydockError(
        Code.BUSY,
        f"Run {holder.pk} ({holder.title}, started by {who}) is under way here; only one may be.",
        next_step=f"Wait for run {holder.pk} or cancel it, then try again.",
    )


def execute(run_id: int, owner: str, kinds: Mapping[Kind, RunKind] | None = None) -> bool:
    """Do what is due of this run, as worker `owner` (unique per call). False: there was nothing to do, or not for us.

    May be called at any time and any number of times: only one call at a time gets the run. One of a kind that this
    version of Drydock does not know is left to those that do.
    """
    name = Run.objects.filter(pk=run_id).values_list("kind", flat=True).first()
    kind = kinds[Kind(name)] if kinds and name else kind_of(name or "")
    if kind is None:
        return False
    if shares.give_way(run_id, kind.queue):
        return False
    claimed = Lease.claim(run_id, owner)
    if claimed is None:
        return False
    lease, run = claimed
    if run.parent_id and shares.at_work(kind.queue) > shares.at_most(kind.queue):
        lease.give_back()
        return False
    log = Logger(run_id, owner)
    try:
        with lease.heartbeat(), nullcontext() if kind.queue is Queue.READING else quota.urgent():
            wait = Execution(run, kind, lease, log).carry_on()
    except LeaseLost:
        server_log.warning("run %s: %s lost its lease and stopped", run_id, owner)
        return False  # nothing more is written: steps, status and log are the other worker's
    except DATABASE_AWAY:
        server_log.exception("run %s: the database is away; the run goes on when its lease has run out", run_id)
        connections.close_all()  # a broken connection stays broken
        return False
    if wait is not None and wait <= COUNTDOWN_LIMIT and not run.parent_id:
        messages.send(run_id, kind.queue, run.priority, wait)
    return True
