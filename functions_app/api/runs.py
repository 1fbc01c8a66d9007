"""`/runs`: the list, one run, its log, and what can be asked of it."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from ninja import Field, Query, QueryEx, Router, Schema
from ninja.responses import Status

from functions_app import runlog
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Answer, Body, Listed, Page, Paged, Told, link, one_of, page_of, paged, written
from functions_app.domain.moments import WRITTEN
from functions_app.domain.redaction import redact_value
from functions_app.domain.runs import Kind, SignalKind
from functions_app.domain.runs import Status as RunStatus
from functions_app.domain.text import sentence
from functions_app.models import Run
from functions_app.services.engine import signals
from functions_app.services.inventory.runs import run_told
from functions_app.services.inventory.runs.run_facts import plan_facts
from functions_app.services.inventory.runs.run_filter import BY, EVERYBODY, UNDER_WAY, RunFilter
from functions_app.services.inventory.runs.run_list import run_list
from functions_app.services.inventory.runs.run_state import reached_run
from functions_app.services.inventory.tables.history import run_table
from functions_app.services.people.reach import runs_within
from functions_app.streams.table_download import table_answer

router = Router(tags=["runs"])
LINES = 1_000  # of a log in one answer


class Filters(Paged):
    """Which runs: as the page of runs has them in its address."""

    status: str = Field("", description=f"{UNDER_WAY}, or one of {', '.join(RunStatus)}")
    kind: list[str] = Field([], max_length=len(Kind), description=f"any of {', '.join(Kind)}")
    parent: int | None = Field(None, ge=1, lt=10**18)
    children: bool = False
    by: str = Field("", description=f"{', '.join(BY)}: all where it is not given, on the page people's")
    person: str = Field("", max_length=200, description="a part of the name of who started it")
    function: str = Field("", max_length=200, description="a part of the name of its function")
    since: str = Field("", max_length=40, description=WRITTEN)
    until: str = Field("", max_length=40, description=WRITTEN)


class RunLine(Schema):
    """A run in the list."""

    id: int
    kind: str
    title: str
    status: str
    steps: str
    actor: str
    created_at: datetime
    why: str


class RunPage(Page):
    """A page of runs."""

    runs: list[RunLine]


class StepLine(Schema):
    """A step of a run."""

    title: str
    status: str
    note: str


class PlannedFact(Schema):
    """Something that a run was planned with."""

    name: str
    text: str


class RunAnswer(Told):
    """A run as it stands; of what it counts so many are done of a total, once that is known."""

    id: int
    kind: str
    title: str
    status: str
    ended: bool
    settled: bool = Field(description="it has ended, is paused, or waits for an approval")
    actor: str
    created_at: datetime
    ended_at: datetime | None
    summary: str
    warnings: list[str]
    problem: dict[str, Any] | None
    result: dict[str, Any]
    steps: list[StepLine]
    progress_done: int
    progress_total: int | None
    progress_unit: str
    takes: list[str]
    planned: list[PlannedFact]


class LogAnswer(Told):
    """Lines of a run's log after a number; `last` is what to ask after next, `ended` whether there will be more."""

    last: int
    ended: bool
    lines: list["LogLine"]


class LogLine(Schema):
    """One line of a run's log."""

    sequence: int
    at: datetime
    level: str
    source: str
    text: str


class Asked(Body):
    """Why something is asked of a run."""

    reason: str = Field(default="", max_length=300)


NO_REASON = Asked()


class Started(Told):
    """A run that was started, or that something was asked of."""

    id: int
    status: str


@router.get("/runs", response=RunPage)
def list_runs(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """Runs, the newest first; those that another keeps alive with `children`, or as those of one `parent`."""
    one_of("status", filters.status, frozenset({UNDER_WAY, *RunStatus}))
    one_of("by", filters.by, BY)
    for kind in filters.kind:
        one_of("kind", kind, frozenset(Kind))
    for name in ("since", "until"):
        written(name, getattr(filters, name))
    asked = filters.chosen()
    wanted = RunFilter(**{**asked, "kind": tuple(filters.kind), "by": filters.by or EVERYBODY})
    if filters.format:
        return table_answer(request, run_table(wanted, runs_within(request.actor.reach)))
    found = run_list(wanted, page_of(filters.cursor, asked), runs_within(request.actor.reach))
    text = f"{found.total} {found.words(narrowed=wanted.narrows)}."
    at = (found.number, found.last)
    return {
        **paged(request, reverse("runs"), text, asked, total=found.total, at=at, as_of=OWN),
        "runs": [{"id": row.pk, **{name: getattr(row, name) for name in _LINE}} for row in found.rows],
    }


_LINE = ("kind", "title", "status", "steps", "actor", "created_at", "why")


@router.get("/runs/{int:pk}", response=RunAnswer)
def get_run(request: ApiRequest, pk: int) -> dict[str, Any]:
    """One run: its steps, what it did, what went wrong, what it takes now."""
    run = reached_run(pk, request.actor)
    return {
        **run_told.of_run(run),
        "url": page_of_run(request, run),
        "planned": [{"name": name, "text": text} for name, text in plan_facts(run.kind, redact_value(run.plan))],
        **{name: getattr(run, name) for name in ("progress_done", "progress_total", "progress_unit")},
    }


def page_of_run(request: HttpRequest, run: Run) -> str:
    """The page where a person follows a run."""
    return link(request, resolve_url("run", run.pk))


@router.get("/runs/{int:pk}/logs", response=LogAnswer)
def get_log(request: ApiRequest, pk: int, after: Annotated[int, QueryEx(ge=0, lt=10**18)] = 0) -> dict[str, Any]:
    """The log after a line's number, oldest first, at most 1,000 lines."""
    run = reached_run(pk, request.actor)
    lines = runlog.read(run.pk, after, LINES)
    last = lines[-1].sequence if lines else after
    ended = RunStatus(run.status).ended and len(lines) < LINES
    return {
        "text": sentence(lines[-1].text) if lines else f"Run {run.pk} has no line after {after}.",
        "url": page_of_run(request, run),
        "last": last,
        "ended": ended,
        "lines": [run_told.of_line(each) for each in lines],
    }


@router.post("/runs/{int:pk}/{signal}", response={202: Started, 200: Started})
def ask_of_run(request: ApiRequest, pk: int, signal: str, body: Asked = NO_REASON) -> Answer:
    """Ask a run to cancel, pause, resume, approve, promote or skip; 200 where it had ended by then."""
    one_of("signal", signal, frozenset(SignalKind))
    run = reached_run(pk, request.actor)
    taken = signals.give(run, SignalKind(signal), request.actor, body.reason)
    run.refresh_from_db()
    told = f"Run {run.pk} is asked to {signal}." if taken else f"Run {run.pk} had ended ({run.status}) by then."
    return Status(202 if taken else 200, started(request, run, told))


def followed(request: HttpRequest, response: HttpResponse, run: Run, told: str = "") -> Answer:
    """202, and where the run is."""
    response["Location"] = reverse("api:get_run", args=[run.pk])
    return Status(202, started(request, run, told))


def started(request: HttpRequest, run: Run, told: str = "") -> dict[str, Any]:
    """What is answered where a run was started."""
    text = told or f"Run {run.pk}: {run.title} ({run.status})."
    return {"id": run.pk, "status": run.status, "text": text, "url": page_of_run(request, run)}
