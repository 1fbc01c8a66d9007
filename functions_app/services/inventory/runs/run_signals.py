"""What was asked of a run, what may be asked of it now, and how far it is: beside its steps on its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, Q, Value, When

from functions_app.domain.runs import ACTIVE, SignalKind, Standing, Status
from functions_app.models import Run, Signal
from functions_app.services.people.actor import named

CHILDREN = 20  # named on their parent's page; the list of runs has all
_WAITS = {
    SignalKind.APPROVE: "It waits for an approver.",
    SignalKind.PROMOTE: "It goes on at the planned time, or at once when it is promoted.",
    SignalKind.SKIP: "What it waits for may be skipped.",
}


@dataclass(frozen=True)
class Asked:
    """A signal that has not had its effect yet, or lasts; `effect` says what follows."""

    who: str
    what: str
    at: datetime
    reason: str
    effect: str


@dataclass(frozen=True)
class Progress:
    """How far the step under way is."""

    done: int
    total: int
    unit: str


@dataclass(frozen=True)
class ChildRow:
    """A run that another keeps alive."""

    pk: int
    title: str
    status: str
    why: str


@dataclass(frozen=True)
class Children:
    """The runs that a run keeps or kept alive: some of them, what needs a look first, and how many there are of each
    status.
    """

    rows: tuple[ChildRow, ...]
    counts: tuple[tuple[str, int], ...]
    total: int


def asked(run: Run, standing: Standing, signals: Sequence[Signal]) -> tuple[Asked, ...]:
    """The signals that are still to have their effect, or last."""
    if run.status not in ACTIVE:
        return ()
    found = []
    undoing = run.status == Status.UNDOING
    paused = standing.paused and not standing.cancelled and not undoing
    wanted = {SignalKind.CANCEL: standing.cancelled, SignalKind.PAUSE: paused}
    for kind, holds in wanted.items():
        given = [signal for signal in signals if signal.kind == kind]
        if holds and given:
            effect = "It takes effect before the next step; the log tells what was done."
            if undoing:
                effect = "What was done is being taken back."
            elif kind is SignalKind.PAUSE and run.status == Status.PAUSED:
                effect = "It stands still until somebody resumes it."
            last = given[-1]
            found.append(Asked(named(last.actor_name, last.via), kind.value, last.at, last.reason, effect))
    return tuple(found)


def waits(run: Run) -> tuple[str, ...]:
    """What it waits for, in words."""
    return tuple(words for kind, words in _WAITS.items() if kind in run.waits_for.split())


def progress(run: Run) -> Progress | None:
    """How far the step under way is, where it counts something."""
    if not run.progress_total:
        return None
    return Progress(min(run.progress_done, run.progress_total), run.progress_total, run.progress_unit)


def children(run: Run) -> Children | None:
    """The runs that this one keeps alive; None where it has none, which is one query, else two."""
    counted = run.children.order_by().values_list("status").annotate(count=Count("pk"))
    counts = tuple((str(status), int(count)) for status, count in counted)
    if not counts:
        return None
    first = Case(When(Q(status=Status.FAILED), then=Value(0)), When(Q(status__in=ACTIVE), then=Value(1)), default=2)
    rows = run.children.order_by(first, "-pk").only("pk", "title", "status", "problem", "parent")[:CHILDREN]
    return Children(
        tuple(ChildRow(row.pk, row.title, row.status, (row.problem or {}).get("message", "")[:160]) for row in rows),
        tuple(sorted(counts, key=lambda item: list(Status).index(Status(item[0])))),
        sum(count for _, count in counts),
    )
