"""Deploying an image: plan it (AWS is read, nothing is changed), then a run of small repeatable steps."""

from uuid import UUID

from functions_app.aws import ecr, lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes import checks
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState, check_alias_name
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import DeploymentPlan, short
from functions_app.domain.changes.judgements import Level, Remark, Running
from functions_app.domain.changes.planned_ways_back import Held
from functions_app.domain.errors import Code, DrydockError, about
from functions_app.domain.fleet.functions import LATEST, FunctionDetail, FunctionPlace
from functions_app.domain.fleet.parts import Part
from functions_app.domain.fleet.repository_policies import allows_pull
from functions_app.domain.images.lambda_rules import Check, Overrides, lambda_rules
from functions_app.domain.images.manifests import Index, Manifest
from functions_app.domain.redaction import NOT_KEPT, holds_secret
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Kind, Outcome
from functions_app.models import Function, Version
from functions_app.services.changes import alias_plans, alias_steps, code_steps, image_choices, running
from functions_app.services.changes.careful_steps import LONG, SHORT, patient, refresh
from functions_app.services.changes.function_places import place_of, target_of
from functions_app.services.changes.image_choices import ResolvedImage
from functions_app.services.changes.image_references import read_reference
from functions_app.services.engine.plans import Planned
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot import function_summaries


def plan(
    function: Function, image: str, alias: str, actor: Actor, plan_id: UUID | None = None
) -> Planned[DeploymentPlan]:
    """Resolve the image once, read function and alias, make all checks, freeze the lot. Changes nothing.

    Raises INVALID (what was typed), NOT_FOUND (image, function), DENIED, UNREACHABLE; a check that fails is in the
    plan. A refused attempt is in the audit table.
    """
    asked = {"image": image[:600], "alias": alias[:130]}
    return alias_plans.make(Kind.DEPLOYMENT, function, asked, actor, lambda: _plan(function, image, alias), plan_id)


def _plan(function: Function, image: str, alias: str) -> DeploymentPlan:
    with about("alias"):
        name = check_alias_name(alias)
    with about("image"):
        reference = read_reference(image, function)
    place = place_of(function)
    own = accounts.target(function.account, function.region)
    with about("image"):
        target, owner = image_choices.registry_target(reference.registry, own)
        resolved = _resolve(reference, target, owner, place, own.role_arn)
    now = alias_plans.read(function, own, alias_steps.read_alias(place, name), goal="")
    if not now.before.exists and holds_secret(name):
        raise DrydockError(Code.INVALID, f"The new alias's name: {NOT_KEPT}")
    detail, latest = now.goal, now.goal.fact.latest
    made = (
        *_image_checks(resolved, detail),
        checks.place_check(reference.registry, place),
        _policy_check(reference, target, owner, place, own.role_arn),
        *checks.state_checks(detail, uploads=resolved.digest != latest.digest),
        *alias_plans.common_checks(function, detail),
        checks.alias_check(name, now.before),
    )
    judgement = alias_plans.judged(function, name, now, _goal_image(resolved), made, more=_at_once(name, now.before))
    return DeploymentPlan(
        place=place,
        alias=name,
        before=now.before,
        before_digest=now.alias.runs[0].digest if now.before.exists and now.alias.runs else "",
        to_digest=resolved.digest,
        image=str(reference),
        checks=made,
        managed_by=alias_plans.tool_of(function, detail),
        owner=function.owner,
        production=accounts.production(function.account).include(name),
        judgement=judgement,
        image_uri=resolved.uri,
        from_digest=latest.digest,
        function_revision=latest.revision_id,
        tags=image_choices.tags_now(reference),
    )


def _goal_image(resolved: ResolvedImage) -> Running:
    """What is to run. An image that no sync has read yet is judged by what was read of it just now."""
    base = running.bases_of([resolved.digest]).get(resolved.digest)
    if (base is None or not base.stream) and isinstance(resolved.manifest, Manifest):
        base = running.base_of_read(resolved.config, resolved.manifest.annotations)
    return Running("", resolved.digest, resolved.uri, base or running.NOT_READ, held=Held.THERE)


def _at_once(alias: str, before: AliasState) -> tuple[Remark, ...]:
    if before.version != LATEST:
        return ()
    text = f"{alias} points to $LATEST: its calls run the new image as soon as the code is updated, before any check."
    return (Remark(Level.DANGER, "Alias", text),)


def _resolve(reference: ImageRef, target: Target, owner: str, place: FunctionPlace, caller: str) -> ResolvedImage:
    """Resolve once. Where ECR refuses because the repository's policy denies, the policy is what is told."""
    try:
        return image_choices.resolve(reference, target, owner)
    except DrydockError as error:
        if error.problem.code is not Code.DENIED:
            raise
        check = _policy_check(reference, target, owner, place, caller)
        if check.ok is not False:
            raise
        raise DrydockError(
            Code.PREFLIGHT,
            f"{check.text} Nothing was changed.",
            next_step=f"Correct the policy of {reference.name}, then plan again.",
            aws_code=error.problem.aws_code,
            request_id=error.problem.request_id,
        ) from error


def _image_checks(resolved: ResolvedImage, detail: FunctionDetail) -> tuple[Check, ...]:
    present = Check("Image", True, f"ECR has it: {short(resolved.digest)}.")
    unknown = Part.IMAGE_SETTINGS in detail.unread
    rules = lambda_rules(
        resolved.manifest,
        resolved.config,
        architecture=detail.fact.architecture,
        size_bytes=resolved.size_bytes,
        overrides=None if unknown else Overrides(detail.fact.entrypoint, detail.fact.command),
    )
    if resolved.config_problem:
        rules = (*rules, Check("Config", None, resolved.config_problem))
    same = resolved.digest == detail.fact.latest.digest and not isinstance(resolved.manifest, Index)
    note = (Check("Difference", None, "$LATEST runs this very image already; only the alias moves."),) if same else ()
    return (present, *rules, *note)


def _policy_check(reference: ImageRef, target: Target, owner: str, place: FunctionPlace, caller: str) -> Check:
    """What the repository's policy says; one that may not be read leaves it to Lambda. `caller`: the role we are."""
    try:
        policy = ecr.repository_policy(target, reference.repository, registry_id=owner)
    except DrydockError as error:
        if error.problem.code is not Code.DENIED:
            raise
        return Check("Repository policy", None, f"The policy may not be read, so Lambda will decide. {error}")
    partition, region = place.arn.split(":")[1], place.region
    repository = f"arn:{partition}:ecr:{region}:{owner}:repository/{reference.repository}"
    ok, text = allows_pull(
        policy, function_arn=place.arn, owner_account=owner, repository_arn=repository, caller=caller
    )
    return Check("Repository policy", ok, text)


# The run


def _check_again(context: Context) -> Outcome:
    frozen = DeploymentPlan.from_json(context.plan)

    def look() -> None:
        detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
        if detail.fact.latest.revision_id != frozen.function_revision:
            raise _changed_function(frozen, detail.fact.latest.digest)
        alias_steps.check_alias(frozen.move)
        uploads = detail.fact.latest.digest != frozen.to_digest
        checks.refuse_blocked(checks.state_checks(detail, uploads=uploads))

    return alias_steps.check_once(context, [frozen.alias], look, "nothing was changed since the plan")


def _changed_function(frozen: DeploymentPlan, now: str) -> DrydockError:
    what = "its configuration" if now == frozen.from_digest else f"$LATEST runs {short(now)} now"
    return changed_message(f"the function {frozen.place.name}", what)


def _goal(context: Context) -> tuple[AliasMove, AliasState]:
    return DeploymentPlan.from_json(context.plan).move, AliasState(context.shared["version"])


def _refresh(context: Context) -> Outcome:
    """Read the function into the snapshot. Its version keeps the tag it was chosen by: Lambda is given the digest.

    An image chosen by digest was chosen by no tag, so that none of its tags that moves on is drift.
    """
    outcome, frozen = refresh(context), DeploymentPlan.from_json(context.plan)
    chosen = ImageRef.parse(frozen.image)
    if tag := "" if chosen.digest else chosen.tag:
        function_id = context.run.function_id or 0
        published = Version.objects.filter(function_id=function_id, number=context.shared["version"])
        if published.update(deployed_tag=tag):
            function_summaries.refresh_summaries([function_id])
    return outcome


STEPS = (
    StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
    StepSpec("update", "Update the code", patient(code_steps.update_code), limit=SHORT),
    StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
    StepSpec("publish", "Publish a version", patient(code_steps.publish), limit=LONG),
    *alias_steps.moving(_goal),
    StepSpec("refresh", "Refresh the snapshot", _refresh),
)
