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


def run_context(run: Run) -> dict[str, Any]:
    """What `_steps.html` and `_status.html` need; `run.steps` is prefetched."""
    state = run_state(run)
    return {"run": run, "state": state, "result_template": RESULTS.get(run.kind, "runs/_result.html")}


def log_html(lines: Iterable[Line]) -> str:
    """Lines of a log."""
    return render_to_string("runs/_log_rows.html", {"rows": log_rows(lines)}).strip()


def state_html(run: Run) -> tuple[str, str]:
    """The steps, and the status above them; `run.steps` is prefetched."""
    context = run_context(run)
    steps = render_to_string("runs/_steps.html", context).strip()
    return steps, render_to_string("runs/_status.html", context).strip()
