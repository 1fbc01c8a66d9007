"""Runs that another run keeps alive, so many at a time: never a thousand queued rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import ACTIVE, Kind, Status
from functions_app.models import Function, Plan, Run
from functions_app.services.engine import runs
from functions_app.services.engine.steps import Context


@dataclass(frozen=True)
class Child:
    """A run that is wanted; by its key it is made once, whatever dies meanwhile."""

    key: str
    kind: Kind
    title: str
    plan: dict[str, Any] = field(default_factory=dict)
    function: Function | None = None
    lock: str = ""
    made_from: Plan | None = None


@dataclass(frozen=True)
class Family:
    """How the children that are wanted stand: the status of each that was made, by its key."""

    wanted: int
    made: dict[str, Status]

    @property
    def alive(self) -> int:
        """How many were made and have not ended."""
        return sum(not status.ended for status in self.made.values())

    @property
    def over(self) -> bool:
        """Whether all that are wanted have ended, well or not."""
        return len(self.made) - self.alive == self.wanted

    def __str__(self) -> str:
        counts = Counter(self.made.values())
        told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
        return f"{len(self.made) - self.alive} of {self.wanted} ended{f' ({told})' if told else ''}"


def keep_alive(context: Context, wanted: Sequence[Child], at_once: int, unit: str) -> Family:
    """Make those that are wanted next, in their order, so that `at_once` are alive; how all stand.

    The step waits till all are over; the end of a child wakes it. One whose lock another run has is passed over, and
    comes with a later call: it wakes nobody, so the step waits for some seconds, not for ever. Nothing is made twice.
    Raises LeaseLost.
    """
    family = _family(context, wanted)
    missing = [child for child in wanted if child.key not in family.made]
    held = _held() if any(child.lock for child in missing) else set()
    alive = family.alive
    for child in missing:
        if alive >= at_once:
            break
        if child.lock and child.lock in held:
            continue
        run = _make(context, child)
        if run is not None:
            family.made[child.key] = Status(run.status)
            alive += 1
        held.add(child.lock)
    context.progress(len(family.made) - alive, family.wanted, unit)
    return family


def _family(context: Context, wanted: Sequence[Child]) -> Family:
    made = {key: Status(status) for key, status in context.run.children.values_list("child_key", "status")}
    context.children_ended = sum(status.ended for status in made.values())
    return Family(len(wanted), {child.key: made[child.key] for child in wanted if child.key in made})


def _held() -> set[str]:
    """The locks that runs have now, read once: a thousand that are busy would be a thousand refusals."""
    return set(Run.objects.filter(status__in=ACTIVE).exclude(lock="").order_by().values_list("lock", flat=True))


def _make(context: Context, child: Child) -> Run | None:
    """Submit a child; None where its lock was taken at this very moment. Raises LeaseLost."""
    try:
        with transaction.atomic():
            context.lease.write()  # holds our run until the child is there: whoever takes over sees it
            return runs.submit_child(
                context.run,
                child.key,
                child.kind,
                title=child.title,
                plan=child.plan,
                function=child.function,
                lock=child.lock,
                made_from=child.made_from,
            )
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
        return None
