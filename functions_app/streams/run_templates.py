"""A run in its templates: first paint, replay and live use the same ones."""

from collections.abc import Iterable
from typing import Any

from django.template.loader import render_to_string

from functions_app.domain.runs import Kind
from functions_app.models import Run
from functions_app.runlog import Line
from functions_app.services.inventory.runs.run_log import log_rows
from functions_app.services.inventory.runs.run_state import run_state

# what shows the result of a kind where a list of names and values will not do
RESULTS: dict[str, str] = {
    Kind.DEPLOYMENT: "deployments/_result.html",
    Kind.ROLLBACK: "deployments/_result.html",
    Kind.PATCH: "deployments/_result.html",
    Kind.UNDO: "deployments/_result.html",
    Kind.INVOCATION: "invocations/_result.html",
}


PARTS = ("steps", "outcome", "result", "status")


def run_context(run: Run) -> dict[str, Any]:
    """What the parts of its page need; `run.steps` is prefetched."""
    state = run_state(run)
    return {"run": run, "state": state, "result_template": RESULTS.get(run.kind, "runs/_facts.html")}


def log_html(lines: Iterable[Line]) -> str:
    """Lines of a log."""
    return render_to_string("runs/_log_rows.html", {"rows": log_rows(lines)}).strip()


def state_html(run: Run) -> dict[str, str]:
    """The parts of its page that change, by their names; `run.steps` is prefetched. `status` comes last: it ends it."""
    context = run_context(run)
    return {part: render_to_string(f"runs/_{part}.html", context).strip() for part in PARTS}
