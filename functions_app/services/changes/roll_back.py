"""Rolling an alias back to a version that was live before, or published earlier: the plan, the run."""

from functions_app.aws import lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes import checks
from functions_app.domain.changes.aliases import check_alias_name
from functions_app.domain.changes.deployments import RollbackPlan, short
from functions_app.domain.changes.ways_back import is_way_back
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.fleet.tags import managed_by
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Kind, Outcome
from functions_app.models import Function
from functions_app.services.changes import alias_plans, alias_steps, image_choices
from functions_app.services.changes.careful_steps import SHORT, patient, refresh
from functions_app.services.changes.function_places import place_of, target_of
from functions_app.services.engine.plans import Planned
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor


def plan(function: Function, alias: str, version: str, actor: Actor) -> Planned[RollbackPlan]:
    """Read function, alias, version and image from AWS, make all checks, freeze the lot. Changes nothing.

    Raises INVALID where going to the version would not be going back (domain.changes.ways_back), NOT_FOUND, DENIED,
    UNREACHABLE; a check that fails is in the plan. A refused attempt is in the audit table.
    """
    asked = {"alias": alias[:130], "version": version[:20]}
    return alias_plans.make(Kind.ROLLBACK, function, asked, actor, lambda: _plan(function, alias, version))


def _plan(function: Function, alias: str, version: str) -> RollbackPlan:
    name = check_alias_name(alias)
    current = function.aliases.filter(name=name).values_list("version", flat=True).first() or ""
    seen = function.alias_moves.filter(alias=name, version=version).exists()
    published = function.versions.filter(number=version).exists()
    if not seen and not (published and is_way_back(version, current, ())):
        raise DrydockError(
            Code.INVALID,
            f"Version {version or '?'} was never seen live under {name}, so this would be no rollback.",
            next_step="Choose a version that was live or published before, or deploy an image instead.",
        )
    place, own = place_of(function), accounts.target(function.account, function.region)
    before = alias_steps.read_alias(place, name)
    if not before.exists:
        raise DrydockError(Code.NOT_FOUND, f"There is no alias {name} any more.", next_step="Sync, then look again.")
    detail = lambdas.get_function(own, function.name)
    back = _version_of(own, function, version)
    now = lambdas.get_function(own, function.name, before.version)
    tool = managed_by(detail.tags)
    uri = _uri_of(back) if back else ""
    return RollbackPlan(
        place=place,
        alias=name,
        before=before,
        before_digest=now.fact.latest.digest,
        to_digest=back.fact.latest.digest if back else "",
        image=uri,
        checks=(
            *_version_checks(back, version, uri, own),
            _difference_check(before.version, version, before.second_version),
            *_history_check(name, version, seen),
            *alias_plans.common_checks(function, name, before, tool),
        ),
        managed_by=tool,
        owner=function.owner,
        to_version=version,
    )


def _version_of(target: Target, function: Function, version: str) -> FunctionDetail | None:
    try:
        return lambdas.get_function(target, function.name, version)
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            return None
        raise


def _uri_of(detail: FunctionDetail) -> str:
    """HOST/NAME@DIGEST of what a version runs."""
    if detail.resolved_uri:
        return detail.resolved_uri
    repository = detail.image_uri.partition("@")[0]
    head, colon, tag = repository.rpartition(":")
    return f"{head if colon and '/' not in tag else repository}@{detail.fact.latest.digest}"


def _version_checks(back: FunctionDetail | None, version: str, uri: str, own: Target) -> tuple[Check, ...]:
    if back is None:
        return (Check("Version", False, f"Version {version} was deleted."),)
    state = checks.version_check(back, version)
    if problem := image_choices.pullable(uri, own):
        return state, Check("Image", False, f"Its image can't be pulled. {problem}")
    return state, Check("Image", True, f"ECR still has its image {short(back.fact.latest.digest)}.")


def _difference_check(now: str, wanted: str, second: str) -> Check:
    if now == wanted and not second:
        return Check("Difference", False, f"The alias points to version {wanted} already.")
    return Check("Difference", True, f"Version {now} → version {wanted}.")


def _history_check(alias: str, version: str, seen: bool) -> tuple[Check, ...]:
    if seen:
        return ()
    text = f"Version {version} was published earlier, but Drydock never saw it live under {alias}."
    return (Check("History", None, text),)


# The run


def _check_again(context: Context) -> Outcome:
    frozen = RollbackPlan.from_json(context.plan)

    def look() -> None:
        target = target_of(frozen.place)
        alias_steps.check_alias(frozen)
        back = lambdas.get_function(target, frozen.place.name, frozen.to_version)
        checks.refuse_blocked([checks.version_check(back, frozen.to_version)])
        if problem := image_choices.pullable(frozen.image, target):
            raise DrydockError(Code.PREFLIGHT, f"The image of version {frozen.to_version} can't be pulled. {problem}")

    found = "nothing was changed since the plan, and the image is there"
    return alias_steps.check_once(context, frozen, look, found)


def _goal(context: Context) -> tuple[RollbackPlan, str]:
    frozen = RollbackPlan.from_json(context.plan)
    return frozen, frozen.to_version


STEPS = (
    StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
    *alias_steps.moving(_goal),
    StepSpec("refresh", "Refresh the snapshot", refresh),
)
