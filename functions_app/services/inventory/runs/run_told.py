"""A run and the lines of its log as machines are told of them: the same as an answer and over a stream."""

from typing import Any

from functions_app.domain.redaction import redact_value
from functions_app.domain.runs import Status, is_settled
from functions_app.domain.text import line
from functions_app.models import Run
from functions_app.runlog import Line
from functions_app.services.inventory.runs.run_state import run_state
from functions_app.services.people.actor import named


def of_run(run: Run) -> dict[str, Any]:
    """All of it but where its page is, what it was planned with and how far it is.

    Its steps and signals are prefetched. One query, two where it has children.
    """
    state = run_state(run)
    words = state.problem.message if state.problem else state.summary or f"{run.title} ({run.status})."
    status = "" if words.lower().startswith(run.status) else f" {run.status}"
    return {
        "text": line(f"Run {run.pk}{status}: {words}"),
        "id": run.pk,
        "kind": run.kind,
        "title": run.title,
        "status": run.status,
        "ended": state.ended,
        "settled": is_settled(Status(run.status), run.waits_for.split()),
        "actor": named(run.actor_name, run.via),
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "summary": state.summary,
        "warnings": list(state.warnings),
        "problem": state.problem.as_json() if state.problem else None,
        "result": redact_value(state.result),
        "steps": [{"title": step.title, "status": step.status, "note": step.note} for step in state.steps],
        "takes": list(state.offers),
    }


def of_line(of: Line) -> dict[str, Any]:
    """One line of a log."""
    return {name: getattr(of, name) for name in ("sequence", "at", "level", "source", "text")}
