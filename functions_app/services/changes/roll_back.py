"""Rolling an alias back to a version that was live or published before, or forward to a newer one: plan and run."""

from uuid import UUID

from functions_app.aws import lambdas
from functions_app.domain.changes import checks
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState, check_alias_name
from functions_app.domain.changes.deployments import RollbackPlan, is_forward, short
from functions_app.domain.changes.judgements import Running
from functions_app.domain.changes.planned_ways_back import Held, ImageNow
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Kind, Outcome
from functions_app.models import Function
from functions_app.services.changes import alias_plans, alias_steps, image_choices, running
from functions_app.services.changes.careful_steps import SHORT, patient, refresh
from functions_app.services.changes.function_places import place_of, target_of
from functions_app.services.engine.plans import Planned
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.alias_histories import own_moves


def plan(
    function: Function, alias: str, version: str, actor: Actor, plan_id: UUID | None = None
) -> Planned[RollbackPlan]:
    """Read function, alias, version and image from AWS, make all checks, freeze the lot. Changes nothing.

    To a newer version that exists it goes too, and the plan says that this is forward. Raises INVALID for a version
    that was never seen, NOT_FOUND, DENIED, UNREACHABLE; a check that fails is in the plan. A refused attempt is in the
    audit table.
    """
    asked = {"alias": alias[:130], "version": version[:20]}
    return alias_plans.make(Kind.ROLLBACK, function, asked, actor, lambda: _plan(function, alias, version), plan_id)


def _plan(function: Function, alias: str, version: str) -> RollbackPlan:
    name = check_alias_name(alias)
    _check_version(version)
    place, own = place_of(function), accounts.target(function.account, function.region)
    before = alias_steps.read_alias(place, name)
    if not before.exists:
        raise DrydockError(Code.NOT_FOUND, f"There is no alias {name} any more.", next_step="Sync, then look again.")
    now = alias_plans.read(function, own, before, goal=version)
    goal = now.versions.details.get(version)
    if goal is None and not _known(function, version):
        raise DrydockError(
            Code.INVALID,
            f"{function.name} has no version {version}.",
            next_step="Choose a version from the list, or deploy an image instead.",
        )
    forward = is_forward(before, version)
    detail = lambdas.get_function(own, function.name)
    image = running.image_behind(own, goal) if goal else ImageNow()
    to = _to_run(version, goal, image)
    made = (
        *_version_checks(goal, version, image),
        _difference_check(before, version),
        *_history_check(function, name, version, to.digest, forward=forward),
        *alias_plans.common_checks(function, detail),
        checks.alias_check(name, before),
    )
    opening = f"{'Forward' if forward else 'Back'} to version {version}: "
    return RollbackPlan(
        place=place,
        alias=name,
        before=before,
        before_digest=now.alias.runs[0].digest if now.alias.runs else "",
        to_digest=to.digest,
        image=to.image,
        checks=made,
        managed_by=alias_plans.tool_of(function, detail),
        owner=function.owner,
        production=accounts.production(function.account).include(name),
        judgement=alias_plans.judged(function, name, now, to, made, opening=opening),
        to_version=version,
        forward=forward,
    )


def _check_version(version: str) -> None:
    """Raise INVALID for what is no number of a published version: an alias never goes back to $LATEST."""
    if not (version.isascii() and version.isdecimal()):
        raise DrydockError(
            Code.INVALID,
            f"{version or 'Nothing'!r} is no published version.",
            next_step="Choose a version by its number, or deploy an image instead.",
        )


def _known(function: Function, version: str) -> bool:
    """Whether Drydock has seen the version, so that it was deleted where Lambda has none."""
    live = own_moves().filter(function=function, version=version)
    return live.exists() or function.versions.filter(number=version).exists()


def _to_run(version: str, goal: FunctionDetail | None, image: ImageNow) -> Running:
    if goal is None:
        return Running(version, "", "")
    digest = goal.fact.latest.digest
    base = running.bases_of([digest]).get(digest, running.NOT_READ)
    return Running(version, digest, running.uri_of(goal), base, held=image.held)


def _version_checks(goal: FunctionDetail | None, version: str, image: ImageNow) -> tuple[Check, ...]:
    if goal is None:
        return (Check("Version", False, f"Version {version} was deleted."),)
    return checks.version_check(goal, version), _image_check(goal, image)


def _image_check(goal: FunctionDetail, image: ImageNow) -> Check:
    if image.held is Held.THERE:
        return Check("Image", True, f"ECR still has its image {short(goal.fact.latest.digest)}.")
    ok = None if image.held is Held.UNKNOWN else False
    return Check("Image", ok, image.why if ok is None else f"Its image can't be pulled. {image.why}")


def _difference_check(before: AliasState, wanted: str) -> Check:
    if before.routes_like(AliasState(wanted)):
        return Check("Difference", False, f"The alias points to version {wanted} already.")
    return Check("Difference", True, f"From {before} to version {wanted}.")


def _history_check(function: Function, alias: str, version: str, digest: str, *, forward: bool) -> tuple[Check, ...]:
    """A way back is a digest that was live: a number alone is not, since a function may have been made anew."""
    known = function.versions.filter(number=version).exclude(digest="").values_list("digest", flat=True).first()
    if known and digest and known != digest:
        text = f"Version {version} runs {short(digest)}, and ran {short(known)} when Drydock saw it: it is another one."
        return (Check("History", False, f"{text} Was the function deleted and made again? Sync, then choose again."),)
    if own_moves().filter(function=function, alias=alias, version=version).exists():
        return ()
    if forward:
        text = f"Version {version} is newer than what {alias} runs, and Drydock never saw it live there."
        return (Check("History", None, text),)
    text = f"Version {version} was published earlier, but Drydock never saw it live under {alias}."
    return (Check("History", None, text),)


# The run


def _check_again(context: Context) -> Outcome:
    frozen = RollbackPlan.from_json(context.plan)

    def look() -> None:
        target = target_of(frozen.place)
        alias_steps.check_alias(frozen.move)
        goal = lambdas.get_function(target, frozen.place.name, frozen.to_version)
        checks.refuse_blocked([checks.version_check(goal, frozen.to_version)])
        image = image_choices.image_now(frozen.image, target)
        if image.held in (Held.GONE, Held.ARCHIVED):
            raise DrydockError(Code.PREFLIGHT, f"The image of version {frozen.to_version} can't be pulled. {image.why}")

    found = "nothing was changed since the plan, and the image is there"
    return alias_steps.check_once(context, [frozen.alias], look, found)


def _goal(context: Context) -> tuple[AliasMove, AliasState]:
    frozen = RollbackPlan.from_json(context.plan)
    return frozen.move, AliasState(frozen.to_version)


STEPS = (
    StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
    *alias_steps.moving(_goal),
    StepSpec("refresh", "Refresh the snapshot", refresh),
)
