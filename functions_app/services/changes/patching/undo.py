"""Undoing a patch: offered while everything it goes back to is there, planned like any change, and carried out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from functions_app.aws import lambdas
from functions_app.domain.changes import checks
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patching.golden import stays
from functions_app.domain.changes.patching.patched_aliases import Patched
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.undos import UNDONE, Returned, UndoPlan
from functions_app.domain.changes.planned_ways_back import Held
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import ACTIVE, Kind, Outcome, Status
from functions_app.models import Function, Image, Run
from functions_app.services.changes import alias_plans, alias_steps, code_steps, image_choices, running
from functions_app.services.changes.alias_steps import Goal
from functions_app.services.changes.careful_steps import LONG, SHORT, patient, refresh
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people.actor import Actor


def last_patch(function_id: int) -> Run | None:
    """The last patch of a function that ended well, and that no undo has taken back since. One query."""
    found = Run.objects.filter(function=function_id, kind__in=(Kind.PATCH, Kind.UNDO), status=Status.SUCCEEDED)
    columns = ("kind", "status", "plan", "result", "ended_at", "function__gone_at", "function__digest")
    last = found.select_related("function").only(*columns).order_by("-pk").first()
    return last if last is not None and last.kind == Kind.PATCH else None


def under_way(run: Run) -> Run | None:
    """The run that is undoing a patch at this moment."""
    return Run.objects.filter(kind=Kind.UNDO, status__in=ACTIVE, plan__run_id=run.pk).first()


def why_not(run: Run) -> str:
    """Why an undo of a patch is not offered, by the snapshot; '' where it is. A plan asks AWS what is there."""
    return _over(run) or _lost(run)


def _over(run: Run) -> str:
    """Why there is nothing to undo any more; '' where it can be planned."""
    if run.kind != Kind.PATCH or run.status != Status.SUCCEEDED:
        return "Only a patch that ended well can be undone."
    if run.function is None or run.function.gone_at is not None:
        return "AWS no longer has the function."
    if Run.objects.filter(kind=Kind.UNDO, status=Status.SUCCEEDED, plan__run_id=run.pk).exists():
        return UNDONE
    frozen, version = PatchPlan.from_json(run.plan), str(run.result.get("version", ""))
    rows = run.function.aliases.all()
    now = {row.name: AliasState(row.version, row.second_version, row.second_weight) for row in rows}
    left = [one for one in frozen.aliases if not now.get(one.alias, AliasState()).routes_like(one.after(version))]
    if left:
        moved = "was moved on since: it no longer points to"
        return " ".join(f"{one.alias} {moved} {one.after(version)}." for one in left)
    if not frozen.aliases and run.function.digest != frozen.to_digest:
        return "$LATEST was given another image since."
    return ""


def _lost(run: Run) -> str:
    """What there would be to go back to and is not any more. One query."""
    frozen, function = PatchPlan.from_json(run.plan), run.function
    if function is None or not frozen.aliases:
        gone = Image.objects.filter(repository__uri=frozen.repository, digest=frozen.from_digest, gone_at__isnull=False)
        return f"ECR no longer has the image {short(frozen.from_digest)}." if gone.exists() else ""
    rows = function.versions.values_list("number", "image__gone_at")
    wanted = {number: one.alias for one in frozen.aliases for number in one.before.shares()}
    held = dict(rows.filter(number__in=wanted))
    for number, alias in wanted.items():
        if number not in held:
            return f"Version {number}, which {alias} had, was deleted."
        if held[number]:
            return f"ECR no longer has the image of version {number}, which {alias} had."
    return ""


def plan(run: Run, actor: Actor, plan_id: UUID | None = None) -> Planned[UndoPlan]:
    """Read the function, its aliases and the images of before, and freeze the way back. Changes nothing.

    Raises DENIED, PREFLIGHT where it is no longer possible, saying why; a check that fails is in the plan.
    """

    def draft() -> Draft[UndoPlan]:
        if why := _over(run):
            raise DrydockError(Code.PREFLIGHT, f"This patch can't be undone. {why}", next_step="Roll back instead.")
        function = run.function
        if function is None:
            raise AssertionError("unreachable: why_not has looked")
        made = _plan(function, run, PatchPlan.from_json(run.plan))
        return Draft(made, function, function.arn, made.confirm, checks=made.checks)

    target = run.function.arn if run.function else f"run {run.pk}"
    return plans.make(Kind.UNDO, target, {"run": run.pk}, actor, draft, plan_id)


def _plan(function: Function, run: Run, frozen: PatchPlan) -> UndoPlan:
    place, target = frozen.place, target_of(frozen.place)
    latest = lambdas.get_function(target, place.name)
    version, made, returned = str(run.result.get("version", "")), list[Check](), list[Returned]()
    for one in frozen.aliases:
        back, found = _returned(frozen, one, version)
        returned.append(back)
        made += found
    made += alias_plans.common_checks(function, latest)
    runs_patch = latest.fact.latest.digest == frozen.to_digest and frozen.from_digest != frozen.to_digest
    gives_back = runs_patch and frozen.kept is None  # the run itself has given back what it lent
    if gives_back:
        made += [*checks.state_checks(latest), _image_check(frozen, f"{frozen.repository}@{frozen.from_digest}")]
    elif not frozen.aliases:
        made.append(Check("$LATEST", False, f"$LATEST runs {short(latest.fact.latest.digest)} now, not the patch."))
    return UndoPlan(
        place=place,
        run_id=run.pk,
        aliases=tuple(returned),
        image_uri=f"{frozen.repository}@{frozen.from_digest}",
        from_digest=latest.fact.latest.digest,
        to_digest=frozen.from_digest,
        function_revision=latest.fact.latest.revision_id,
        gives_back=gives_back,
        checks=tuple(dict.fromkeys(made)),
        stays=stays(frozen.golden),
    )


def _returned(frozen: PatchPlan, one: Patched, version: str) -> tuple[Returned, tuple[Check, ...]]:
    """Where an alias goes back to, and whether that is there."""
    place, target = frozen.place, target_of(frozen.place)
    now = alias_steps.read_alias(place, one.alias)
    found = []
    if not now.routes_like(left := one.after(version)):
        found.append(Check("Alias", False, f"{one.alias} points to {now} now; the patch left it at {left}."))
    image = f"{frozen.repository}@{one.before_digest}"
    for number in one.before.shares():
        try:
            detail = lambdas.get_function(target, place.name, number)
        except DrydockError as error:
            if error.problem.code is not Code.NOT_FOUND:
                raise
            found.append(Check("Version", False, f"Version {number}, which {one.alias} had, was deleted."))
            continue
        found += [checks.version_check(detail, number), _image_check(frozen, running.uri_of(detail))]
        image = running.uri_of(detail) if number not in now.shares() else image
    return Returned(one.alias, now, one.before, image, one.production), tuple(found)


def _image_check(frozen: PatchPlan, uri: str) -> Check:
    """Whether ECR still has an image of before."""
    image, digest = image_choices.image_now(uri, target_of(frozen.place)), uri.partition("@")[2]
    if image.held is Held.THERE:
        return Check("Image", True, f"ECR still has {short(digest)}.")
    return Check("Image", None if image.held is Held.UNKNOWN else False, image.why)


# The run


def steps(plan: dict[str, Any]) -> Sequence[StepSpec]:
    """The steps of a run with this plan: a pair for each alias, and two for the code where $LATEST gets it back."""
    names = [one["alias"] for one in plan["aliases"]]
    point = (alias_steps.pointing(_goal(at), f"alias-{at}", f"Point {name} back") for at, name in enumerate(names))
    look = (
        alias_steps.reading_back(_goal(at), f"verify-{at}", f"Read {name} back", settles=at == len(names) - 1)
        for at, name in enumerate(names)
    )
    code = (
        StepSpec("update", "Give $LATEST back what it ran", patient(code_steps.update_code), limit=SHORT),
        StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
    )
    return (
        StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
        *point,
        *look,
        *(code if plan["gives_back"] else ()),
        StepSpec("refresh", "Refresh the snapshot", refresh),
    )


def _goal(at: int) -> Goal:
    def goal(context: Context) -> tuple[AliasMove, AliasState]:
        frozen = UndoPlan.from_json(context.plan)
        return frozen.moves[at], frozen.aliases[at].to

    return goal


def _check_again(context: Context) -> Outcome:
    frozen = UndoPlan.from_json(context.plan)

    def look() -> None:
        latest = lambdas.get_function(target_of(frozen.place), frozen.place.name).fact.latest
        if frozen.gives_back and latest.revision_id != frozen.function_revision:
            raise changed_message(f"the function {frozen.place.name}", f"$LATEST runs {short(latest.digest)} now")
        for move in frozen.moves:
            alias_steps.check_alias(move)

    aliases = [one.alias for one in frozen.aliases]
    return alias_steps.check_once(context, aliases, look, "nothing was changed since the plan")
