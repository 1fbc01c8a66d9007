"""What is answered in a chat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC

from functions_app.domain.chat.words import some, with_end
from functions_app.models import Plan, Run


@dataclass(frozen=True)
class Reply:
    """One line, and what stands beside it: lines where a list was asked for, choices where something is not told yet,
    a plan with the code that applies it, a run: one that was `started`, or asked something.

    `page` is where a person sees the same, as `reverse` names it. `preparing`: the run only prepares what was asked.
    """

    text: str
    page: tuple[str, *tuple[object, ...]] = ("overview",)
    query: dict[str, str] = field(default_factory=dict)
    lines: Sequence[str] = ()
    choices: Sequence[str] = ()
    plan: Plan | None = None
    approve: str = ""
    run: Run | None = None
    started: bool = False
    preparing: bool = False


def of_run(run: Run, told: str = "", *, started: bool = True) -> Reply:
    """A run that was started, or that something was asked of."""
    return Reply(told or f"Run {run.pk}: {run.title} ({run.status}).", ("run", run.pk), run=run, started=started)


def of_plan(plan: Plan, code: str, *, waits: bool) -> Reply:
    """A plan, with its verdict and what is to be said to apply it; `waits`: an approver is to say it."""
    judged = plan.body.get("judgement") or {}
    ticks = [key for key, _ in plan.ticks] if not waits else []
    command = " ".join(("approve", code, *ticks))
    who = "An approver says" if waits else "Say"
    end = f"{who} “{command}” by {plan.expires_at.astimezone(UTC):%H:%M} UTC."
    verdict = str(judged.get("verdict", ""))
    doubts = judged.get("remarks") or [check for check in plan.body.get("checks", ()) if check.get("ok") is None]
    remarks = [f"{row['name']}: {row['text']}" for row in doubts]
    asked = [f"{key}: {text}" for key, text in plan.ticks]
    return Reply(
        with_end(f"{plan.title}: {verdict}" if verdict else f"{plan.title}.", end),
        ("plan", plan.pk),
        lines=some([plan.title, *([verdict] if verdict else []), *remarks, *asked]),
        plan=plan,
        approve=command,
    )
