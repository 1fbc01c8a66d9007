"""What an execution says of itself: why a step is not tried again, how a run ended, a problem and a time in words."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from functions_app.domain.durations import span
from functions_app.domain.errors import Code, Problem
from functions_app.domain.redaction import redact
from functions_app.domain.runs import Status, StepStatus
from functions_app.domain.text import sentence
from functions_app.models import Run, RunStep
from functions_app.services.engine.steps import StepSpec

BEGUN = (StepStatus.RUNNING, StepStatus.WAITING)  # an earlier try may or may not have had its effect
NOT_UNDONE = "could not be undone: "  # begins the note of such a step
OVERTAKEN = "overtaken"  # in a run's result: names of steps that were done, and changed by somebody else since
TRIES = 5  # workers that may die in one step
TOLD = "told"  # in the memory of a step that must not be repeated: what it failed with, before its run ends so


def unknown_outcome(spec: StepSpec, step: RunStep) -> Problem | None:
    """The mark that a step which must not be repeated was under way when its worker vanished, or its failure."""
    if spec.repeatable or step.status != StepStatus.RUNNING:
        return None
    if told := step.memory.get(TOLD):
        return Problem.from_json(told)
    began = f" at {step.started_at:%Y-%m-%d %H:%M:%S} UTC" if step.started_at else ""
    return Problem(
        Code.UNKNOWN_OUTCOME,
        f"The worker stopped while “{spec.title}” was under way (it began{began}): "
        "it may or may not have taken place. It is not repeated.",
        next_step=spec.look_at or f"Look in AWS at what “{spec.title}” does before you start it again.",
    )


def hopeless(run: Run, spec: StepSpec) -> Problem | None:
    """That one worker after the other vanished in this step: the next one would, too."""
    if run.attempts < TRIES:
        return None
    return Problem(
        Code.FAILED,
        f"Its worker died {TRIES} times in “{spec.title}”, so it is not tried again.",
        next_step=f"The workers' logs tell why (run {run.pk}): mostly memory that ran out or a database that was away.",
    )


def summary(
    status: Status,
    steps: Sequence[RunStep],
    took: timedelta,
    cancelled_by: str,
    new: Sequence[str],
    overtaken: Collection[str] = (),
) -> str:
    """What was really done, in one sentence or some; `new` are steps that only a newer Drydock than its has.

    `overtaken` are the names of steps that were done, and of which somebody else has left nothing.
    """
    if status is Status.SUCCEEDED:
        parts = [f"Succeeded: {len(steps)} of {len(steps)} steps, {span(took)}."]
    else:
        parts = [f"Cancelled by {cancelled_by}." if status is Status.CANCELLED else "Failed.", *_done(steps, overtaken)]
    if new:
        parts.append(f"Begun before Drydock was upgraded, so without what it would do now: {', '.join(new)}.")
    return " ".join(parts)


def _done(steps: Sequence[RunStep], overtaken: Collection[str]) -> list[str]:
    def named(*wanted: StepStatus) -> str:
        return ", ".join(step.title for step in steps if step.status in wanted and step.name not in overtaken)

    kept, undone = named(StepStatus.DONE), named(StepStatus.UNDONE)
    begun, never = named(*BEGUN), named(StepStatus.PENDING)
    failed = [step for step in steps if step.status == StepStatus.FAILED]
    stuck = ", ".join(step.title for step in failed if step.note.startswith(NOT_UNDONE))
    replaced = ", ".join(step.title for step in steps if step.name in overtaken)
    nothing = "Nothing was changed for good." if undone else "Nothing was done."
    known = not (stuck or begun)  # else nobody knows what they left
    parts = [f"Done and kept: {kept}."] if kept else [nothing] if known and not replaced else []
    parts += [f"Done, and changed by somebody else since: {replaced}."] if replaced else []
    parts += [f"Undone: {undone}."] if undone else []
    parts += [f"Could not be undone: {stuck}."] if stuck else []
    parts += [f"Begun, not finished: {begun}."] if begun else []
    return parts + ([f"Not done: {never}."] if never else [])


def in_words(problem: Problem) -> str:
    """A problem with its AWS code, request id and next step, redacted."""
    facts = [problem.aws_code, f"request {problem.request_id}" if problem.request_id else ""]
    named = ", ".join(fact for fact in facts if fact)
    return redact(
        " ".join(part for part in (sentence(problem.message), f"({named})" if named else "", problem.next_step) if part)
    )
