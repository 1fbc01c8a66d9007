"""Runs as the pages and the live stream show them: the list, one run's state, steps, log rows, diagnostics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.utils.text import Truncator

from functions_app import clock, runlog
from functions_app.domain.changes.patching.undos import undo_refused
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.health.stranded import Stranded, stranded
from functions_app.domain.runs import ACTIVE, Kind, Standing, Status, StepStatus, kind_label
from functions_app.models import Run, RunStep
from functions_app.services.changes.patching.undo import why_not
from functions_app.services.engine import signals
from functions_app.services.inventory import run_signals
from functions_app.services.inventory.run_facts import facts
from functions_app.services.inventory.run_signals import Asked, Children, Progress
from functions_app.services.people.actor import named

PAGE = 50
WHY = 160  # characters of what was wrong, in the list
LINES = 1_000  # of the log on first paint, and for each "load earlier"
LISTED = (
    "kind", "status", "title", "result", "problem", "actor_name", "via", "created_at", "started_at", "ended_at",
    "wake_at", "lease_until",
)  # fmt: skip
UNDER_WAY = "active"  # the status that a filter names for every run that has not ended
WORTH_A_WORD = {"debug", "warning", "error"}
DATE, DATE_AND_TIME = len("2026-11-28 "), len("2026-11-28 09:00:00.000")
FINISHED = (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.UNDONE)


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


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the log as it is drawn: flat and formatted."""

    sequence: str
    exact: str
    clock: str
    css: str
    level: str  # empty for info: a word on every line would be noise
    text: str


@dataclass(frozen=True)
class StepRow:
    """One step as its template draws it. `since` is set while it is under way."""

    position: int
    title: str
    status: str
    note: str
    took: str
    since: str


@dataclass(frozen=True)
class RunState:
    """How a run stands: what changes on its page beside the log. `result` is without its summary and warnings."""

    run: Run
    ended: bool
    kind: str
    steps: tuple[StepRow, ...]
    step_count: str
    elapsed: str
    since: str
    problem: Problem | None
    summary: str
    warnings: tuple[str, ...]
    result: dict[str, Any]
    result_facts: list[tuple[str, str]]
    diagnostics: str
    actor: str
    offers: tuple[str, ...]
    asked: tuple[Asked, ...]
    waits: tuple[str, ...]
    stranded: Stranded | None
    progress: Progress | None
    children: Children | None
    undo_refused: str  # of a patch: why it can't be undone

    @property
    def took(self) -> str:
        """How long it took, once it has ended."""
        return self.elapsed if self.ended else ""

    @property
    def problem_title(self) -> str:
        """The words above its problem."""
        return self.problem.code.heading if self.problem else ""


@dataclass(frozen=True)
class LogPage:
    """Some lines of a run's log: the last ones, or those before a number. `earlier` is the first one's where more are.

    `tidied`: the lines were deleted because of their age.
    """

    rows: list[LogRow]
    last: int
    earlier: int
    earlier_count: int
    tidied: bool


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


def find_run(pk: int) -> Run:
    """A run with its steps, signals, function and account. Raises NOT_FOUND. Three queries."""
    found = Run.objects.select_related("function", "account", "parent").prefetch_related("steps", "signals")
    run = found.filter(pk=pk).first()
    if run is None:
        raise DrydockError(Code.NOT_FOUND, f"There is no run {pk}.", next_step="Look for it in the list of runs.")
    return run


def run_state(run: Run) -> RunState:
    """How a run stands; its steps and signals are prefetched. One query, two where it keeps others alive."""
    steps, given = list(run.steps.all()), list(run.signals.all())
    standing = Standing.of((signal.pk, signal.kind, signal.actor_name) for signal in given)
    finished = [step for step in steps if step.status in FINISHED]
    problem = Problem.from_json(run.problem) if run.problem else None
    ended = Status(run.status).ended
    result = {key: value for key, value in run.result.items() if key not in {"summary", "warnings"}}
    return RunState(
        run=run,
        ended=ended,
        kind=kind_label(run.kind),
        steps=tuple(step_row(step) for step in steps),
        step_count=f"{len(finished)} of {len(steps)} steps",
        elapsed=took(run.started_at, run.ended_at),
        since=run.started_at.isoformat() if run.started_at and not ended else "",
        problem=problem,
        summary=run.result.get("summary", ""),
        warnings=tuple(run.result.get("warnings", ())),
        result=result,
        result_facts=facts(result),
        diagnostics=diagnostics(run, steps, problem) if run.status == Status.FAILED else "",
        actor=named(run.actor_name, run.via),
        offers=signals.taken(run, standing),
        asked=run_signals.asked(run, standing, given),
        waits=run_signals.waits(run),
        stranded=stranded_run(run),
        progress=run_signals.progress(run),
        children=run_signals.children(run),
        undo_refused=undo_refused(why_not(run)) if run.kind == Kind.PATCH and ended else "",
    )


def log_page(run: Run, before: int | None = None) -> LogPage:
    """The last lines of a run's log, or those before a number. One query."""
    lines = runlog.tail(run.pk, LINES, before)
    first = lines[0].sequence if lines else 1
    return LogPage(
        rows=log_rows(lines),
        last=lines[-1].sequence if lines else 0,
        earlier=first if first > 1 else 0,
        earlier_count=first - 1,
        tidied=bool(run.line_count) and not lines and before is None and Status(run.status).ended,
    )


def log_rows(lines: Iterable[runlog.Line]) -> list[LogRow]:
    """Lines as rows."""
    rows = []
    for line in lines:
        at = line.at.astimezone(UTC).isoformat(" ", "milliseconds")  # strftime would cost as much as all the rest
        css = f"{line.level} of-{line.source}" if line.source != "drydock" else line.level
        word = line.level if line.level in WORTH_A_WORD else ""
        if line.source == "other":
            word = f"{word} of another call".strip()
        exact = at[:DATE_AND_TIME]
        rows.append(LogRow(str(line.sequence), f"{exact} UTC", exact[DATE:], css, word, line.text))
    return rows


def span(duration: timedelta) -> str:
    """ "40 ms", "1.4 s", "12 s", "3 min 5 s", "2 h 10 min"."""
    seconds = max(0.0, duration.total_seconds())
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def took(started: datetime | None, ended: datetime | None) -> str:
    """How long it took, or has taken so far; empty before it began."""
    return span((ended or clock.now()) - started) if started else ""


def step_row(step: RunStep) -> StepRow:
    """A step as a row."""
    under_way = step.status in (StepStatus.RUNNING, StepStatus.WAITING) and step.started_at
    since = step.started_at.isoformat() if under_way and step.started_at else ""
    return StepRow(step.position, step.title, step.status, step.note, took(step.started_at, step.ended_at), since)


def diagnostics(run: Run, steps: list[RunStep], problem: Problem | None) -> str:
    """A failed run as text, for a ticket."""
    lines = [
        f"Drydock run {run.pk}: {run.title}",
        f"kind {run.kind}, status {run.status}, started by {named(run.actor_name, run.via)}",
        *(f"{name} {at.isoformat()}" for name, at in (("started", run.started_at), ("ended", run.ended_at)) if at),
    ]
    if problem:
        lines += [
            f"problem {problem.code}: {problem.message}",
            f"next {problem.next_step}" if problem.next_step else "",
        ]
        lines += [f"AWS code {problem.aws_code}" if problem.aws_code else ""]
        lines += [f"request id {problem.request_id}" if problem.request_id else ""]
    lines += [
        f"step {step.position} {step.name}: {step.status}{f' - {step.note}' if step.note else ''}" for step in steps
    ]
    return "\n".join(line for line in lines if line)
