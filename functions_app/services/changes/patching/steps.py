"""The run of a patch: rebase, push, prove, then what every deployment does. Each step reads before it writes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from functions_app.aws import lambdas
from functions_app.domain.changes import checks
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.runs import Outcome
from functions_app.domain.tokens import Beside
from functions_app.services.changes import alias_steps, code_steps, smoke
from functions_app.services.changes.alias_steps import Goal
from functions_app.services.changes.careful_steps import LONG, SHORT, patient, refresh
from functions_app.services.changes.function_places import target_of
from functions_app.services.changes.patching import latest_kept, survival, without_alias
from functions_app.services.changes.patching.code_back import UPDATE
from functions_app.services.changes.patching.golden_steps import golden_steps
from functions_app.services.changes.patching.rebase_steps import RebaseSteps, refuse_withdrawn
from functions_app.services.engine.steps import Context, StepSpec

CODE = (
    UPDATE,
    StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
    StepSpec("publish", "Publish a version", patient(code_steps.publish), limit=LONG),
)


def steps(plan: dict[str, Any]) -> Sequence[StepSpec]:
    """The steps of a run with this plan: one more pair for each alias."""
    count = len(plan["aliases"])
    begin = (
        StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
        *golden_steps(plan.get("golden", ())),
        *RebaseSteps(lambda frozen: frozen).specs(),
    )
    end = (StepSpec("refresh", "Refresh the snapshot", refresh),)
    if not count:
        shift = without_alias.steps(smoked=bool(plan.get("smoke")))
        return (*begin, *(_while_it_stands(spec) if spec is UPDATE else spec for spec in shift), *end)
    keeps = bool(plan.get("kept"))
    code = (
        *(_while_it_stands(spec) if spec.name == "update" else spec for spec in (latest_kept.LEND if keeps else CODE)),
        *((smoke.STEP,) if plan.get("smoke") else ()),
    )
    names = [one["alias"] for one in plan["aliases"]]
    point = (
        _while_it_stands(alias_steps.pointing(_goal(at), f"alias-{at}", f"Point {name}"))
        for at, name in enumerate(names)
    )
    look = (
        alias_steps.reading_back(_goal(at), f"verify-{at}", f"Read {name} back", settles=at == count - 1 and not keeps)
        for at, name in enumerate(names)
    )
    return (*begin, *code, *point, *look, *((latest_kept.GIVE_BACK,) if keeps else ()), *end)


def beside(plan: dict[str, Any]) -> Sequence[Beside]:
    """What a run with this plan changes beside its function."""
    return PatchPlan.from_json(plan).beside


def _while_it_stands(spec: StepSpec) -> StepSpec:
    """The step, refused where the base release was withdrawn meanwhile: what was begun is then taken back."""

    def action(context: Context) -> Outcome:
        refuse_withdrawn(PatchPlan.from_json(context.plan))
        return spec.action(context)

    return replace(spec, action=action)


def _goal(at: int) -> Goal:
    def goal(context: Context) -> tuple[AliasMove, AliasState]:
        frozen = PatchPlan.from_json(context.plan)
        return frozen.moves[at], frozen.aliases[at].after(context.shared["version"])

    return goal


def _check_again(context: Context) -> Outcome:
    frozen = PatchPlan.from_json(context.plan)

    def look() -> None:
        detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
        if detail.fact.latest.revision_id != frozen.function_revision:
            same = detail.fact.latest.digest == frozen.from_digest
            now = "its configuration" if same else f"$LATEST runs {short(detail.fact.latest.digest)} now"
            raise changed_message(f"the function {frozen.place.name}", now)
        for move in frozen.moves:
            alias_steps.check_alias(move)
        refuse_withdrawn(frozen)
        checks.refuse_blocked((*checks.state_checks(detail, uploads=True), *survival.checks_again(frozen)))

    aliases = [one.alias for one in frozen.aliases]
    return alias_steps.check_once(context, aliases, look, "nothing was changed since the plan")
