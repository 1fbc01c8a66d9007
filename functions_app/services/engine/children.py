"""Runs that another run keeps alive, so many at a time: never a thousand queued rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Status
from functions_app.models import Function, Plan
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
    comes with a later call. Nothing is made twice. Raises LeaseLost.
    """
    family = _family(context, wanted)
    for child in wanted:
        if family.alive >= at_once:
            break
        if child.key in family.made:
            continue
        context.lease.check()
        try:
            run = runs.submit_child(
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
            continue
        family.made[child.key] = Status(run.status)
    context.progress(len(family.made) - family.alive, family.wanted, unit)
    return family


def _family(context: Context, wanted: Sequence[Child]) -> Family:
    made = {key: Status(status) for key, status in context.run.children.values_list("child_key", "status")}
    return Family(len(wanted), {child.key: made[child.key] for child in wanted if child.key in made})
