"""What the run pages and the live stream show alike: rows of the log, steps, status, diagnostics."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions_app import clock
from functions_app.domain.errors import Problem
from functions_app.domain.runs import Kind, Status, StepStatus
from functions_app.models import Run, RunStep
from functions_app.runlog import Line
from functions_app.web.http import TITLE

KINDS = {
    Kind.SYNC: "Sync",
    Kind.BASE_POLL: "Base poll",
    Kind.DEPLOYMENT: "Deployment",
    Kind.ROLLBACK: "Rollback",
    Kind.INVOCATION: "Invocation",
    Kind.READ_FILES: "Reading of files",
    Kind.FORECAST: "Lifecycle forecast",
    Kind.PATCH: "Patch",
}
# what shows the result of a kind where a list of names and values will not do
RESULTS = {
    Kind.DEPLOYMENT: "deployments/_result.html",
    Kind.ROLLBACK: "deployments/_result.html",
    Kind.INVOCATION: "invocations/_result.html",
}
# word, icon, colour class
STEPS = {
    StepStatus.PENDING: ("Not started", "circle-dashed", "calm"),
    StepStatus.RUNNING: ("Running", "progress", "info"),
    StepStatus.WAITING: ("Waiting", "clock", "info"),
    StepStatus.DONE: ("Done", "circle-check", "good"),
    StepStatus.SKIPPED: ("Skipped", "point", "calm"),
    StepStatus.FAILED: ("Failed", "circle-x", "bad"),
    StepStatus.UNDONE: ("Undone", "arrow-back-up", "warn"),
}
# names of what a run was planned with and what it found, in people's words
LABELS = {
    "scopes read": "Accounts and regions read",
    "scopes failed": "Accounts and regions with problems",
    "streams changed": "Base streams changed",
    "streams problems": "Base streams not read",
    "repositories read": "Policies previewed",
    "repositories without": "Repositories without a policy",
    "repositories failed": "Repositories not readable",
    "endangered live": "Live uses of images that would go",
    "endangered others": "Other uses of images that would go",
    "place arn": "Function",
    "place name": "Name",
    "place account id": "Account",
    "place region": "Region",
    "before version": "Version before",
    "before second version": "Second version before",
    "before second weight": "Second weight before",
    "before revision id": "Revision before",
    "to digest": "Digest",
    "from digest": "Digest of $LATEST before",
    "before digest": "Digest before",
    "image uri": "Image by digest",
    "bytes": "Payload bytes",
    "sha256": "Payload SHA-256",
    "confirm": "Typed to confirm",
}
TOLD_ELSEWHERE = {"title", "function id", "target", "lock"}
FACT_LENGTH = 2000
WORTH_A_WORD = {"debug", "warning", "error"}


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the log as its template draws it: flat and formatted."""

    sequence: str  # text: Django would format a number anew each of the three times it is printed
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
    word: str
    icon: str
    colour: str
    note: str
    took: str
    since: str


def log_rows(lines: Iterable[Line]) -> list[LogRow]:
    """Lines as rows."""
    rows = []
    for line in lines:
        at = line.at.astimezone(UTC)
        css = f"{line.level} of-{line.source}" if line.source != "drydock" else line.level
        word = line.level if line.level in WORTH_A_WORD else ""
        clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
        rows.append(LogRow(str(line.sequence), f"{at:%Y-%m-%d} {clock} UTC", clock, css, word, line.text))
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
    word, icon, colour = STEPS[StepStatus(step.status)]
    under_way = step.status in (StepStatus.RUNNING, StepStatus.WAITING) and step.started_at
    since = step.started_at.isoformat() if under_way and step.started_at else ""
    return StepRow(
        step.position, step.title, word, icon, colour, step.note, took(step.started_at, step.ended_at), since
    )


def live_context(run: Run) -> dict[str, Any]:
    """What `_steps.html` and `_status.html` need; `run.steps` is prefetched."""
    steps = list(run.steps.all())
    finished = [step for step in steps if step.status in (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.UNDONE)]
    problem = Problem.from_json(run.problem) if run.problem else None
    ended = Status(run.status).ended
    result = {key: value for key, value in run.result.items() if key != "summary"}
    return {
        "run": run,
        "ended": ended,
        "kind": KINDS[Kind(run.kind)],
        "steps": [step_row(step) for step in steps],
        "step_count": f"{len(finished)} of {len(steps)} steps",
        "took": took(run.started_at, run.ended_at) if ended else "",
        "since": run.started_at.isoformat() if run.started_at and not ended else "",
        "elapsed": took(run.started_at, run.ended_at),
        "problem": problem,
        "problem_title": TITLE[problem.code] if problem else "",
        "summary": run.result.get("summary", ""),
        "result": result,
        "result_facts": facts(result),
        "result_template": RESULTS.get(Kind(run.kind), "runs/_result.html"),
        "diagnostics": diagnostics(run, steps, problem) if run.status == Status.FAILED else "",
    }


def facts(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A JSON object as labels and texts, nested names joined; long texts are cut. Private members stay private."""
    found: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if key.startswith("_") or name in TOLD_ELSEWHERE or _says_nothing(item):
            continue
        if isinstance(item, dict):
            found += facts(item, f"{name} ")
        else:
            text = "\n".join(_fact_text(one) for one in item) if isinstance(item, list) else _fact_text(item)
            found.append((LABELS.get(name, name[:1].upper() + name[1:]), text[:FACT_LENGTH]))
    return found


def _says_nothing(item: Any) -> bool:
    return item in ("", None, [], {}) or item is False or (isinstance(item, float) and not item)


def _fact_text(item: Any) -> str:
    if isinstance(item, dict):
        known = [item[key] for key in ("name", "text") if key in item]
        return ": ".join(str(part) for part in known or item.values())
    return "yes" if item is True else str(item)


def diagnostics(run: Run, steps: list[RunStep], problem: Problem | None) -> str:
    """A failed run as text, for a ticket."""
    lines = [
        f"Drydock run {run.pk}: {run.title}",
        f"kind {run.kind}, status {run.status}, started by {run.actor_name}",
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
