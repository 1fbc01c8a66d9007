"""The list of runs: which are wanted, their rows, and how many the schedule has beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.utils.text import Truncator

from functions_app import clock
from functions_app.domain.durations import span
from functions_app.domain.health.stranded import Stranded, stranded
from functions_app.domain.runs import ACTIVE, Kind, Status, StepStatus, kind_label
from functions_app.models import Run, RunStep
from functions_app.services.people.actor import named

PAGE = 50
WHY = 160  # characters of what was wrong, in the list
LISTED = (
    "kind", "status", "title", "result", "problem", "actor_name", "via", "created_at", "started_at", "ended_at",
    "wake_at", "lease_until",
)  # fmt: skip
UNDER_WAY = "active"  # the status that a filter names for every run that has not ended


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted: a status or UNDER_WAY, and a kind; "" for any. Runs that another keeps alive are wanted
    where `children` says so, or as those of one `parent`.
    """

    status: str = ""
    kind: str = ""
    parent: int | None = None
    children: bool = False


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
    `families`: whether there are runs that others keep alive.
    """

    rows: tuple[RunRow, ...]
    total: int
    active: int
    number: int
    last: int
    families: bool

    def words(self, *, narrowed: bool, of_run: bool = False) -> str:
        """What follows the total; `narrowed`: not every run is wanted, `of_run`: those that one keeps alive."""
        runs = "run" if self.total == 1 else "runs"
        if narrowed:
            runs += " matches" if self.total == 1 else " match"
        all_of_them = " in all" if narrowed and not of_run else ""  # whatever their status and kind
        return f"{runs}, {self.active} under way{all_of_them}" if self.active else runs


def run_list(wanted: RunFilter, page: int, within: Q | None = None) -> RunList:
    """A page of runs, the newest first; `within`: what they must be beside. Five queries, whatever their number."""
    paginator = Paginator(filtered(wanted).filter(within or Q()), PAGE)
    current = paginator.get_page(page)
    active = Run.objects.filter(status__in=ACTIVE, parent=wanted.parent).count()
    families = Run.objects.filter(parent__isnull=False).exists()
    return RunList(run_rows(list(current)), paginator.count, active, current.number, paginator.num_pages, families)


def filtered(wanted: RunFilter) -> QuerySet[Run]:
    """The runs that are wanted, the newest first."""
    found = Run.objects.all()
    if wanted.status == UNDER_WAY:
        found = found.filter(status__in=ACTIVE)
    elif wanted.status in set(Status):
        found = found.filter(status=wanted.status)
    if wanted.kind in set(Kind):
        found = found.filter(kind=wanted.kind)
    if wanted.parent is not None:
        found = found.filter(parent=wanted.parent)
    elif not wanted.children:
        found = found.filter(parent=None)
    return found.only(*LISTED).order_by("-pk")


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
