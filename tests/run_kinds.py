"""Kinds of runs for tests: their steps leave marks in a folder that the plan names, and wait there for the test."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, Outcome, Queue, Skipped, Wait
from functions_app.models import Run
from functions_app.services.engine import children, runs
from functions_app.services.engine.children import Child
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always

PATIENCE = 60.0  # seconds


def mark(context: Context, name: str) -> int:
    """Count in a file how often something happened; gives the count."""
    file = Path(context.plan["folder"]) / name
    with file.open("a") as out:
        out.write("x")
    return file.stat().st_size


def count(folder: Path, name: str) -> int:
    """How often something happened."""
    file = folder / name
    return file.stat().st_size if file.exists() else 0


def wait_for(file: Path) -> None:
    """Block, as a slow call would, until the test makes a file."""
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < deadline, f"nobody made {file.name}"
        time.sleep(0.02)


def execute(run: Run, owner: str, kinds: Mapping[Kind, RunKind] | None = None) -> bool:
    """Be a worker with these kinds; the run has their steps as if it had been made with them."""
    if kinds:
        specs = kinds[Kind(run.kind)].steps(run.plan)
        run.steps.exclude(name__in=[spec.name for spec in specs]).delete()
        for position, spec in enumerate(specs, 1):
            facts = {"position": position, "title": spec.title, "settles": spec.settles}
            run.steps.update_or_create(name=spec.name, defaults=facts, create_defaults={**facts, "status": "pending"})
    return runs.execute(run.pk, owner, kinds)


def prepare(context: Context) -> Outcome:
    """Say so and remember something."""
    mark(context, "prepare")
    context.shared["prepared"] = True
    context.log.info("prepared")
    return Done("ready")


def undo_prepare(context: Context) -> str:
    """Take `prepare` back."""
    mark(context, "undo-prepare")
    return "taken back"


def change(context: Context) -> Outcome:
    """Log, then block until the test lets go; where the plan says so, fail."""
    mark(context, "change")
    for number in range(int(context.plan.get("lines", 3))):
        context.log.info(f"changing {number}")
    if context.plan.get("block"):
        wait_for(Path(context.plan["folder"]) / "go")
    if context.plan.get("fails") == "expected":
        raise DrydockError(Code.CHANGED, "Somebody changed it.", aws_code="PreconditionFailed", request_id="r-1")
    if context.plan.get("fails"):
        raise KeyError("a secret that must not be shown")
    context.result["changed"] = context.shared["prepared"]
    return Done("changed")


def undo_change(context: Context) -> str:
    """Take `change` back, or fail at that."""
    if context.plan.get("undo_fails"):
        raise DrydockError(Code.DENIED, "It may not be put back.")
    mark(context, "undo-change")
    return "put back"


def settle(context: Context) -> Outcome:
    """Wait as often as the plan says; where it says so, have the worker die at the first try."""
    if context.plan.get("dies") and not count(Path(context.plan["folder"]), "settle"):
        mark(context, "settle")
        os.kill(os.getpid(), signal.SIGKILL)
    if mark(context, "settle") <= int(context.plan.get("waits", 0)):
        return Wait(float(context.plan.get("seconds", 0.2)), "not yet")
    return Done("settled")


def check(context: Context) -> Outcome:
    """Fail in the end, where the plan says so; nothing to do otherwise."""
    if context.plan.get("check_fails"):
        raise DrydockError(Code.FAILED, "It does not work.", next_step="Look at it.")
    return Skipped("nothing to check")


def once(context: Context) -> Outcome:
    """What must never be repeated."""
    mark(context, "once")
    context.log.info("sent")
    wait_for(Path(context.plan["folder"]) / "go")
    return Done("answered")


def wanted(context: Context) -> list[Child]:
    """The children that the plan wants, each with the lock that it names for it."""
    plan, locks = {"folder": context.plan["folder"], **context.plan.get("child", {})}, context.plan.get("locks", {})
    return [
        Child(key, Kind.DEPLOYMENT, f"Change {key}", plan, lock=locks.get(key, "")) for key in context.plan["wanted"]
    ]


def members(context: Context) -> Outcome:
    """Keep children alive until all are over; where the plan says so, fail once one has ended."""
    mark(context, "members")
    family = children.keep_alive(context, wanted(context), int(context.plan["at_once"]), "changes")
    if context.plan.get("fails") and any(status.ended for status in family.made.values()):
        raise DrydockError(Code.FAILED, "One is enough.")
    return Done(str(family)) if family.over else Wait(context.plan.get("seconds"), str(family))


KINDS: Mapping[Kind, RunKind] = {
    Kind.DEPLOYMENT: RunKind(
        Kind.DEPLOYMENT,
        always(
            (
                StepSpec("prepare", "Prepare", prepare, undo=undo_prepare),
                StepSpec("change", "Change", change, undo=undo_change),
                StepSpec("settle", "Settle", settle),
                StepSpec("check", "Check", check),
            )
        ),
        Queue.CHANGES,
    ),
    Kind.PATCH: RunKind(
        Kind.PATCH, always((StepSpec("members", "Change them all", members),)), Queue.READING, pausable=True
    ),
    Kind.INVOCATION: RunKind(
        Kind.INVOCATION,
        always((StepSpec("once", "Send it", once, repeatable=False, look_at="Look in the function's log group."),)),
        Queue.INVOCATIONS,
    ),
}
