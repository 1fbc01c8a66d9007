"""What a kind of run is made of: its steps, and what a step gets to work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions_app import clock
from functions_app.domain.runs import Kind, Outcome, Queue, Wait
from functions_app.models import Run
from functions_app.runlog import Logger
from functions_app.services.engine.leases import Lease

ASK_EVERY = 1.0  # seconds between two looks at whether somebody wants to cancel


class Cancelled(Exception):
    """Raised by a step that saw `cancel_requested()` and stopped half-way; the text says what it had done by then."""


@dataclass(frozen=True)
class StepSpec:
    """One named step.

    `action` reads before it writes, so that running it twice does no harm, and never sleeps: it answers Wait. It is
    called again after the wait, and after a crash. `repeatable=False` marks the one that must not be: it is marked in
    the database before it starts, and a worker that finds the mark fails the run with UNKNOWN_OUTCOME, naming
    `look_at`. `undo` takes a step back and returns a note, or Wait to be called again; it is called for a step that is
    done, and for one whose earlier try may have had its effect, so it too looks first. A step that still answers Wait
    after `limit` (since it first started) fails. One that `settles` proves what was done: once it is done nothing is
    taken back any more, whatever follows.
    """

    name: str
    title: str
    action: Callable[["Context"], Outcome]
    undo: Callable[["Context"], str | Wait] | None = None
    repeatable: bool = True
    look_at: str = ""
    limit: timedelta | None = None
    settles: bool = False


@dataclass(frozen=True)
class RunKind:
    """A kind of run: its steps in order, and the queue its messages travel on."""

    kind: Kind
    steps: tuple[StepSpec, ...]
    queue: Queue = Queue.CHANGES


@dataclass
class Context:
    """What a step works with. `memory` and `result` (shown on the page) are saved after each step, or by `save`."""

    run: Run
    log: Logger
    lease: Lease
    plan: dict[str, Any]
    memory: dict[str, Any]
    result: dict[str, Any]
    deadline: datetime | None = None
    _asked: float = field(default=-ASK_EVERY, repr=False)
    _cancel: bool = field(default=False, repr=False)

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return clock.now()

    def save(self) -> None:
        """Store memory and result now, in the middle of a step. Raises LeaseLost."""
        self.lease.write(memory=self.memory, result=self.result)

    def cancel_requested(self) -> bool:
        """Whether somebody asked for an end; asks the database once a second at most. Raises LeaseLost."""
        self.lease.check()
        if not self._cancel and time.monotonic() - self._asked >= ASK_EVERY:
            self._asked = time.monotonic()
            self._cancel = Run.objects.filter(pk=self.run.pk, cancel_requested_at__isnull=False).exists()
        return self._cancel
