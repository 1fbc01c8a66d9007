"""A worker's hold on a run: claimed by compare-and-set, renewed by a heartbeat, checked by every write."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection, connections, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from functions_app import clock, eventlog
from functions_app.domain.runs import LEASE, LEGAL, RENEW_EVERY, Status
from functions_app.domain.text import storable_value
from functions_app.models import Run, RunStep
from functions_app.runlog import announce
from functions_app.services.engine.database_state import DATABASE_AWAY

server_log = logging.getLogger(__name__)
PATIENCE = 300.0  # seconds for a database to come back, while an answer is kept in memory
AGAIN = 0.5  # seconds between two tries
CLAIMED = (
    "status",
    "lease_owner",
    "lease_until",
    "wake_at",
    "started_at",
    "paused_at",
    "attempts",
)  # what a claim sets
STEP_FIELDS = ("status", "note", "memory", "started_at", "ended_at", "undo_started_at", "idle", "heard")


class LeaseLost(Exception):
    """Another worker has this run now: nothing more may be written."""


def database_time(later: timedelta = timedelta()) -> "ExpressionWrapper[Any]":
    """What the database's clock says, the one that all workers share: their own may differ by more than a lease."""
    return ExpressionWrapper(Now() + (settings.ENV.clock_ahead + later), output_field=DateTimeField())


def database_now() -> datetime:
    """The same as a moment. SQLite has no clock but ours."""
    if connection.vendor != "postgresql":
        return clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at + settings.ENV.clock_ahead


def claimable(run: Run, now: datetime) -> bool:
    """Whether there is something to do for a worker that was told of this run."""
    if run.status == Status.QUEUED:
        return True
    if run.status in (Status.WAITING, Status.PAUSED):  # without a time one waits for a signal
        return run.wake_at is not None and run.wake_at <= now
    return run.status in (Status.RUNNING, Status.UNDOING)  # if its lease has run out, which the database says


def _idle(run: Run, now: datetime) -> timedelta:
    """How long it lay in a queue, was paused, or had a worker that was dead: no step's limit counts that."""
    since = run.paused_at or run.wake_at or run.lease_until
    if since and run.lease_owner:
        since -= LEASE  # when its worker was last heard of
    return max(now - since, timedelta()) if since and run.status != Status.QUEUED else timedelta()


class Lease:
    """The hold of `owner` on one run. Every write names the owner, so a worker that lost its run writes nothing."""

    def __init__(self, run: Run, owner: str, before: dict[str, Any], idle: timedelta) -> None:
        self.run_id = run.pk
        self.owner = owner
        self.status = Status(run.status)
        self.idle = idle
        self.taken_over = bool(before["lease_owner"])  # nobody's while it waits, nor between two tries of an undo
        self._before = before
        self._lost = threading.Event()

    @classmethod
    def claim(cls, run_id: int, owner: str) -> tuple["Lease", Run] | None:
        """Claim the run if it is due, or its lease ran out; None if there is nothing to do."""
        now = clock.now()
        run = Run.objects.filter(pk=run_id).first()
        if run is None or not claimable(run, now):
            return None
        before = {field: getattr(run, field) for field in CLAIMED}
        idle = _idle(run, now)
        status = Status.UNDOING if run.status == Status.UNDOING else Status.RUNNING
        changes: dict[str, Any] = {"started_at": run.started_at or now, "wake_at": None, "paused_at": None}
        if run.lease_owner:
            changes["attempts"] = F("attempts") + 1
        free = Q(lease_until=None) | Q(lease_until__lt=database_time())
        claimed = Run.objects.filter(free, pk=run_id, **before).update(
            status=status, lease_owner=owner, lease_until=database_time(LEASE), revision=F("revision") + 1, **changes
        )
        if not claimed:
            return None
        run.refresh_from_db()
        announce(run_id)
        return cls(run, owner, before, idle), run

    def give_back(self) -> None:
        """Leave the run as it was found, for the tick to hand it out again."""
        mine = Run.objects.filter(pk=self.run_id, lease_owner=self.owner)
        mine.update(**self._before, handed_out_at=None, revision=F("revision") + 1)
        announce(self.run_id)

    def check(self) -> None:
        """Raise LeaseLost if the heartbeat found that the run is another's."""
        if self._lost.is_set():
            raise LeaseLost(f"run {self.run_id} is no longer {self.owner}'s")

    def write(self, *, to: Status | None = None, step: RunStep | None = None, **fields: Any) -> None:
        """Store fields of the run and one step in one transaction, and renew the lease.

        Raises LeaseLost (nothing is stored then), and ValueError for a transition that domain.runs does not allow.
        """
        self.check()
        if to is not None and to != self.status and to not in LEGAL[self.status]:
            raise ValueError(f"run {self.run_id}: {self.status} -> {to} is not a legal transition")
        status = to or self.status
        kept = status in (Status.RUNNING, Status.UNDOING)
        hold: dict[str, Any] = {"lease_until": database_time(LEASE)}
        if not kept:
            hold = {"lease_owner": "", "lease_until": None}
        fields = storable_value(fields)  # a text that no database takes must not keep a run from ending
        with transaction.atomic():
            mine = Run.objects.filter(pk=self.run_id, lease_owner=self.owner, status=self.status)
            if not mine.update(status=status, revision=F("revision") + 1, **(hold | fields)):
                self._lost.set()
                self.check()
            if step is not None:
                facts = {field: storable_value(getattr(step, field)) for field in STEP_FIELDS}
                RunStep.objects.filter(pk=step.pk).update(**facts)
            if status != self.status:
                eventlog.run_moved(self.run_id, step.position if step else None)
        self.status = status
        transaction.on_commit(lambda: announce(self.run_id))

    def write_what_only_we_know(self, step: RunStep, store_lines: Callable[[], None], **fields: Any) -> None:
        """The same for what can't be asked for again, after the step's lines. Raises as `insist` and `write` do."""

        def store() -> None:
            store_lines()
            self.write(step=step, **fields)

        self.insist(store)

    def hold(self, change: Callable[[], None] = lambda: None) -> None:
        """Make sure that the run is still ours, which a worker that was frozen can't know, and store a change with it.

        Called just before what is not to be repeated leaves. Raises LeaseLost, and else as `insist` does.
        """

        def store() -> None:
            with transaction.atomic():
                self.write()
                change()

        self.insist(store)

    def insist(self, store: Callable[[], object]) -> None:
        """Store what nobody else knows: while the database is away it is tried again, on new connections.

        Raises after PATIENCE what the database raised last.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                store()
                return
            except DATABASE_AWAY:
                if time.monotonic() > until:
                    raise
                server_log.exception("run %s: what it has learned could not be stored, trying again", self.run_id)
                connections.close_all()  # a broken connection stays broken
                time.sleep(AGAIN)

    def renew(self) -> None:
        """Prolong the lease; remembers when it is another's."""
        mine = Run.objects.filter(pk=self.run_id, lease_owner=self.owner)
        if not mine.update(lease_until=database_time(LEASE)):
            self._lost.set()

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Renew the lease from a thread of its own while the block runs, however long a step takes."""
        stop = threading.Event()

        def beat() -> None:
            try:
                while not stop.wait(RENEW_EVERY.total_seconds()) and not self._lost.is_set():
                    try:
                        self.renew()
                    except Error:  # DatabaseError, and InterfaceError of a connection that broke
                        server_log.exception("run %s: the lease could not be renewed, trying again", self.run_id)
                        connections.close_all()  # a broken connection stays broken
            finally:
                connections.close_all()

        thread = threading.Thread(target=beat, name=f"lease-{self.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
