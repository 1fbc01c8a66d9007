"""The head of a run's page: its function, and where each alias goes, from and to, with the base."""

from dataclasses import dataclass
from typing import Any

from functions_app.domain.changes.aliases import AliasState, version_name
from functions_app.domain.changes.base_changes import Base
from functions_app.domain.changes.deployments import AliasPlan, DeploymentPlan, RollbackPlan
from functions_app.domain.changes.patching.patched_aliases import Patched
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.undos import UndoPlan
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.runs import Kind, Status
from functions_app.models import Run
from functions_app.services.engine import retries


@dataclass(frozen=True)
class Move:
    """Where an alias goes; without `after` it is only called. The bases are '' where they are not known."""

    alias: str
    before: str = ""
    after: str = ""
    base_before: str = ""
    base_after: str = ""


@dataclass(frozen=True)
class WayOn:
    """What can follow a run that has ended: a rollback to be planned (alias, version, words), or the same once more.

    `retry`: deploy and patch lead to their forms, undo plans that of the run `of` again, again asks for the same.
    """

    alias: str = ""
    version: str = ""
    words: str = ""
    retry: str = ""
    of: int = 0
    image: str = ""
    digest: str = ""


def moves(run: Run) -> tuple[Move, ...]:
    """What the run does with the aliases of its function, as it was planned and as far as it has come."""
    plan: dict[str, Any] = run.plan
    version = str(run.result.get("version") or "")  # once it is published
    if "place" not in plan:
        return ()
    if run.kind == Kind.INVOCATION:
        return (Move(plan["qualifier"]),)
    if run.kind == Kind.DEPLOYMENT:
        return (_of_alias(DeploymentPlan.from_json(plan), version),)
    if run.kind == Kind.ROLLBACK:
        rolled = RollbackPlan.from_json(plan)
        return (_of_alias(rolled, rolled.to_version),)
    if run.kind == Kind.PATCH:
        return _of_patch(PatchPlan.from_json(plan), version)
    if run.kind == Kind.UNDO:
        return tuple(Move(one.alias, str(one.now), str(one.to)) for one in UndoPlan.from_json(plan).aliases)
    return ()


def _of_alias(frozen: AliasPlan, version: str) -> Move:
    goal, runs = frozen.judgement.goal, frozen.judgement.runs
    bases = _known(runs[0].base if runs else Base()), _known(goal.base if goal else Base())
    return Move(frozen.alias, str(frozen.before), version_name(version), *bases)


def _of_patch(frozen: PatchPlan, version: str) -> tuple[Move, ...]:
    base = f"{frozen.base.stream} {frozen.base.from_label}", f"{frozen.base.stream} {frozen.base.to_label}"
    called = [Move(one.alias, str(one.before), _after(one, version), *base) for one in frozen.aliases]
    return tuple(called) or (Move(LATEST, "its image", "the patched one", *base),)


def _after(one: Patched, version: str) -> str:
    return str(one.after(version)) if version else str(one.after())


def _known(base: Base) -> str:
    return str(base) if base.stream else ""


def way_on(run: Run) -> WayOn:
    """What can follow it; nothing of a run that goes on."""
    status = Status(run.status)
    if retries.may_be(run):
        return WayOn(retry="again")
    if not status.ended or "place" not in run.plan or run.function_id is None:
        return WayOn()
    if run.kind == Kind.DEPLOYMENT:
        deployed = DeploymentPlan.from_json(run.plan)
        if status is Status.SUCCEEDED:
            return _back(deployed.alias, deployed.before, str(run.result.get("version", "")))
        return WayOn(alias=deployed.alias, retry="deploy", image=deployed.image)
    if run.kind == Kind.ROLLBACK:
        rolled = RollbackPlan.from_json(run.plan)
        if status is Status.SUCCEEDED:
            return _back(rolled.alias, rolled.before, rolled.to_version)
        return WayOn(rolled.alias, rolled.to_version, "Plan it again")
    if run.kind == Kind.UNDO and status is not Status.SUCCEEDED:
        return WayOn(retry="undo", of=UndoPlan.from_json(run.plan).run_id)
    if run.kind == Kind.PATCH and status is not Status.SUCCEEDED:
        return WayOn(retry="patch", digest=PatchPlan.from_json(run.plan).app_digest)
    return WayOn()


def _back(alias: str, before: AliasState, now: str) -> WayOn:
    """To what most of the calls reached before; $LATEST is another image by now, so there is no way back to it."""
    if not before.exists or not before.version.isdecimal() or before.version == now:
        return WayOn()
    forward = now.isdecimal() and int(before.version) > int(now)
    return WayOn(alias, before.version, f"Roll {alias} {'forward' if forward else 'back'} to {before.version}")
