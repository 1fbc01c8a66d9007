"""A worker's hold on a run: claimed by compare-and-set, renewed by a heartbeat, checked by every write."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections, transaction
from django.db.models import F

from functions_app import clock
from functions_app.domain.runs import LEASE, LEGAL, RENEW_EVERY, Status
from functions_app.domain.text import storable_value
from functions_app.models import Run, RunStep
from functions_app.runlog import announce

server_log = logging.getLogger(__name__)
PATIENCE = 300.0  # seconds for a database to come back, while an answer is kept in memory
AGAIN = 0.5  # seconds between two tries


DATABASE_AWAY = (OperationalError, InterfaceError)
"""What a database raises that is away, locked, full or starting anew: nothing is wrong with what was asked of it."""


class LeaseLost(Exception):
    """Another worker has this run now: nothing more may be written."""


def claimable(run: Run, now: datetime) -> bool:
    """Whether there is something to do for a worker that was told of this run."""
    if run.status == Status.QUEUED:
        return True
    if run.status == Status.WAITING:
        return run.wake_at is None or run.wake_at <= now
    return run.status in (Status.RUNNING, Status.UNDOING) and (run.lease_until is None or run.lease_until < now)


class Lease:
    """The hold of `owner` on one run. Every write names the owner, so a worker that lost its run writes nothing."""

    def __init__(self, run: Run, owner: str, *, taken_over: bool) -> None:
        self.run_id = run.pk
        self.owner = owner
        self.status = Status(run.status)
        self.taken_over = taken_over
        self._lost = threading.Event()

    @classmethod
    def claim(cls, run_id: int, owner: str) -> tuple["Lease", Run] | None:
        """Claim the run if it is due, or its lease ran out; None if there is nothing to do."""
        now = clock.now()
        run = Run.objects.filter(pk=run_id).first()
        if run is None or not claimable(run, now):
            return None
        taken_over = bool(run.lease_owner)  # nobody's while it waits, nor between two tries of an undo
        status = Status.UNDOING if run.status == Status.UNDOING else Status.RUNNING
        unchanged = Run.objects.filter(
            pk=run_id, status=run.status, lease_owner=run.lease_owner, lease_until=run.lease_until, wake_at=run.wake_at
        )
        changes: dict[str, Any] = {"started_at": run.started_at or now, "wake_at": None}
        if taken_over:
            changes["attempts"] = F("attempts") + 1
        claimed = unchanged.update(
            status=status, lease_owner=owner, lease_until=now + LEASE, revision=F("revision") + 1, **changes
        )
        if not claimed:
            return None
        run.refresh_from_db()
        announce(run_id)
        return cls(run, owner, taken_over=taken_over), run

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
        hold: dict[str, Any] = {"lease_until": clock.now() + LEASE}
        if not kept:
            hold = {"lease_owner": "", "lease_until": None}
        fields = storable_value(fields)  # a text that no database takes must not keep a run from ending
        with transaction.atomic():
            mine = Run.objects.filter(pk=self.run_id, lease_owner=self.owner, status=self.status)
            if not mine.update(status=status, revision=F("revision") + 1, **(hold | fields)):
                self._lost.set()
                self.check()
            if step is not None:
                step.save(update_fields=["status", "note", "started_at", "ended_at"])
        self.status = status
        transaction.on_commit(lambda: announce(self.run_id))

    def write_what_only_we_know(self, step: RunStep, **fields: Any) -> None:
        """The same for what can't be asked for again: while the database is away it is tried again, on new connections.

        Raises LeaseLost, and after PATIENCE what the database raised last.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.write(step=step, **fields)
            except DATABASE_AWAY:
                if time.monotonic() > until:
                    raise
                server_log.exception("run %s: what it has learned could not be stored, trying again", self.run_id)
                connections.close_all()  # a broken connection stays broken
                time.sleep(AGAIN)

    def renew(self) -> None:
        """Prolong the lease; remembers when it is another's."""
        mine = Run.objects.filter(pk=self.run_id, lease_owner=self.owner)
        if not mine.update(lease_until=clock.now() + LEASE):
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
