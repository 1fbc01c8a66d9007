"""One run as its page and the live stream show it: how it stands, its steps, diagnostics."""

from dataclasses import dataclass
from typing import Any

from functions_app.domain.changes.patching.undos import undo_refused
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.health.stranded import Stranded
from functions_app.domain.runs import Kind, Standing, Status, StepStatus, kind_label
from functions_app.models import Run, RunStep
from functions_app.services.changes.patching.undo import why_not
from functions_app.services.engine import signals
from functions_app.services.inventory.runs import run_signals
from functions_app.services.inventory.runs.run_facts import facts
from functions_app.services.inventory.runs.run_head import Move, WayOn, moves, way_on
from functions_app.services.inventory.runs.run_list import stranded_run, took
from functions_app.services.inventory.runs.run_signals import Asked, Children, Progress
from functions_app.services.people import access
from functions_app.services.people.actor import Actor, named

FINISHED = (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.UNDONE)


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
    moves: tuple[Move, ...]
    way_on: WayOn
    repeatable: bool  # an invocation that can be sent once more as it was: nothing ran, its payload is kept

    @property
    def now(self) -> str:
        """The step under way, with what it tells."""
        step = next((step for step in self.steps if step.since), None)
        return f"{step.title}: {step.note}" if step and step.note else step.title if step else ""

    @property
    def took(self) -> str:
        """How long it took, once it has ended."""
        return self.elapsed if self.ended else ""

    @property
    def problem_title(self) -> str:
        """The words above its problem."""
        return self.problem.code.heading if self.problem else ""


def find_run(pk: int) -> Run:
    """A run with its steps, signals, function and account. Raises NOT_FOUND. Three queries."""
    found = Run.objects.select_related("function__account", "account", "parent").prefetch_related("steps", "signals")
    run = found.filter(pk=pk).first()
    if run is None:
        raise DrydockError(Code.NOT_FOUND, f"There is no run {pk}.", next_step="Look for it in the list of runs.")
    return run


def reached_run(pk: int, actor: Actor) -> Run:
    """The same, within what somebody gets to. Raises NOT_FOUND."""
    run = find_run(pk)
    access.require_reach(actor, run.function)
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
        moves=moves(run),
        way_on=way_on(run),
        repeatable=bool(run.result.get("not_executed")),
    )


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
