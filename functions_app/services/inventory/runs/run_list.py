"""The list of runs: which are wanted, their rows, and how many the schedule has beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.utils.text import Truncator

from functions_app import clock
from functions_app.domain.durations import span
from functions_app.domain.health.stranded import Stranded, stranded
from functions_app.domain.runs import ACTIVE, StepStatus, kind_label
from functions_app.models import Run, RunStep
from functions_app.services.inventory.runs.run_filter import EVERYBODY, PEOPLE, RunFilter, filtered
from functions_app.services.people.actor import SCHEDULE, named

PAGE = 50
WHY = 160  # characters of what was wrong, in the list
LISTED = (
    "kind", "status", "title", "result", "problem", "actor_name", "via", "created_at", "started_at", "ended_at",
    "wake_at", "lease_until",
)  # fmt: skip


@dataclass(frozen=True)
class RunRow:
    """A run as a list shows it; `steps` is "2 of 5"."""

    pk: int
    title: str
    status: str
    kind: str
    steps: str
    actor: str
    created_at: datetime
    took: str
    why: str
    stranded: Stranded | None


@dataclass(frozen=True)
class RunList:
    """One page of runs, the newest first; `total` of those wanted, `active` of all but children, or of one parent's;
    `families`: whether there are runs that others keep alive; `scheduled`: those of the schedule that are folded away.
    """

    rows: tuple[RunRow, ...]
    total: int
    active: int
    number: int
    last: int
    families: bool
    scheduled: int = 0

    def words(self, *, narrowed: bool, of_run: bool = False) -> str:
        """What follows the total; `narrowed`: not every run is wanted, `of_run`: those that one keeps alive."""
        runs = "run" if self.total == 1 else "runs"
        if narrowed:
            runs += " matches" if self.total == 1 else " match"
        all_of_them = " in all" if narrowed and not of_run else ""  # whatever their status and kind
        return f"{runs}, {self.active} under way{all_of_them}" if self.active else runs


def run_list(wanted: RunFilter, page: int, within: Q | None = None) -> RunList:
    """A page of runs, the newest first; `within`: what they must be beside. Five queries, whatever their number."""
    reached = within or Q()
    found = filtered(wanted).filter(reached)
    paginator = Paginator(found.only(*LISTED), PAGE)
    scheduled = 0
    if wanted.by == PEOPLE:  # both in one
        every = filtered(replace(wanted, by=EVERYBODY)).filter(reached).order_by()
        counts = every.aggregate(every=Count("pk"), scheduled=Count("pk", filter=Q(via=SCHEDULE.via)))
        scheduled = counts["scheduled"]
        paginator.count = counts["every"] - scheduled
    current = paginator.get_page(page)
    active = Run.objects.filter(reached, status__in=ACTIVE, parent=wanted.parent).count()
    families = Run.objects.filter(parent__isnull=False).exists()
    return RunList(
        run_rows(list(current)), paginator.count, active, current.number, paginator.num_pages, families, scheduled
    )


def run_rows(found: Sequence[Run]) -> tuple[RunRow, ...]:
    """Rows of the list, with how far each run is: one query for all of them."""
    finished = Count("pk", filter=Q(status__in=(StepStatus.DONE, StepStatus.SKIPPED)))
    steps = RunStep.objects.filter(run__in=found).order_by().values("run_id").annotate(done=finished, every=Count("pk"))
    counts = {step["run_id"]: f"{step['done']} of {step['every']}" for step in steps}
    return tuple(
        RunRow(
            pk=run.pk,
            title=run.title,
            status=run.status,
            kind=kind_label(run.kind),
            steps=counts.get(run.pk, ""),
            actor=named(run.actor_name, run.via),
            created_at=run.created_at,
            took=took(run.started_at, run.ended_at),
            why=_brief((run.problem or {}).get("message") or " ".join(run.result.get("warnings", ()))),
            stranded=stranded_run(run),
        )
        for run in found
    )


def _brief(text: str) -> str:
    return text if len(text) <= WHY else str(Truncator(text).chars(WHY))


def stranded_run(run: Run) -> Stranded | None:
    """Whether no worker is at it though one should be."""
    return stranded(run.status, run.lease_until, run.wake_at, clock.now())


def took(started: datetime | None, ended: datetime | None) -> str:
    """How long it took, or has taken so far; empty before it began."""
    return span((ended or clock.now()) - started) if started else ""
