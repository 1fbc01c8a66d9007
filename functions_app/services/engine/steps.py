"""What a kind of run is made of: its steps, and what a step gets to work with."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions_app import clock
from functions_app.domain.runs import Kind, Outcome, Queue, SignalKind, Wait
from functions_app.domain.tokens import Beside
from functions_app.models import Run, RunStep, Signal
from functions_app.runlog import Logger
from functions_app.services.engine.leases import Lease
from functions_app.services.people.actor import Actor

ASK_EVERY = 1.0  # seconds between two looks at whether somebody wants to cancel
TELL_EVERY = 0.5  # seconds between two tellings of how far a step is


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
    after `limit` fails, and an undo after `undo_limit`: since it first started, without the time that its run lay in
    a queue, was paused or had a dead worker. One that `settles` proves what was done: the run is not paused just
    before it, and once it is done nothing is taken back any more, whatever follows.
    """

    name: str
    title: str
    action: Callable[["Context"], Outcome]
    undo: Callable[["Context"], str | Wait] | None = None
    repeatable: bool = True
    look_at: str = ""
    limit: timedelta | None = None
    undo_limit: timedelta | None = None
    settles: bool = False


@dataclass(frozen=True)
class RunKind:
    """A kind of run: the steps that a run with this plan takes, the queue of its messages, whether it may be paused.

    `beside`: what such a run changes beside its function; who plans or applies it has to get to all of it. `again` asks
    for the same once more; None: it changes something, and is planned anew.
    """

    kind: Kind
    steps: Callable[[dict[str, Any]], Sequence[StepSpec]]
    queue: Queue = Queue.CHANGES
    pausable: bool = False
    beside: Callable[[dict[str, Any]], Sequence[Beside]] = lambda plan: ()
    again: Callable[[dict[str, Any], Actor], Run] | None = None


def always(steps: Sequence[StepSpec]) -> Callable[[dict[str, Any]], Sequence[StepSpec]]:
    """The same steps whatever the plan says."""
    return lambda plan: steps


@dataclass
class Context:
    """What a step works with. `shared` by all steps, its own `memory` and the `result` on the page are stored after
    each step, or by `save`.
    """

    run: Run
    log: Logger
    lease: Lease
    plan: dict[str, Any]
    shared: dict[str, Any]
    result: dict[str, Any]
    step: RunStep
    deadline: datetime | None = None
    children_ended: int | None = None  # as the step saw them, where it keeps some alive
    _asked: float = field(default=-ASK_EVERY, repr=False)
    _cancel: bool = field(default=False, repr=False)
    _told: float = field(default=-TELL_EVERY, repr=False)

    @property
    def memory(self) -> dict[str, Any]:
        """What this step, or its undo, has learned so far."""
        memory: dict[str, Any] = self.step.memory
        return memory

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return clock.now()

    def save(self) -> None:
        """Store memory and result now, in the middle of a step. Raises LeaseLost."""
        self.lease.write(step=self.step, memory=self.shared, result=self.result)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Tell how far this step is, for the bar on the page; stored twice a second at most. Raises LeaseLost."""
        if 0 < done < total and time.monotonic() - self._told < TELL_EVERY:
            return
        self._told = time.monotonic()
        self.lease.write(progress_done=done, progress_total=total, progress_unit=unit)

    def signal(self, *kinds: SignalKind) -> Signal | None:
        """The last of these signals that was given since this step began; by their order, since clocks differ."""
        given = Signal.objects.filter(run=self.run, kind__in=kinds, pk__gt=self.step.heard)
        return given.order_by("-pk").first()

    def cancel_requested(self) -> bool:
        """Whether somebody asked for an end, which no undo is kept from; asks the database once a second at most.

        Raises LeaseLost.
        """
        self.lease.check()
        if self.step.undo_started_at is not None:
            return False
        if not self._cancel and time.monotonic() - self._asked >= ASK_EVERY:
            self._asked = time.monotonic()
            self._cancel = Signal.objects.filter(run=self.run, kind=SignalKind.CANCEL).exists()
        return self._cancel
