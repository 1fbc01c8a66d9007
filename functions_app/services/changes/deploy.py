"""Deploying an image: plan it (AWS is read, nothing is changed), then a run of small repeatable steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User

from functions_app.aws import ecr, lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes import deployments as domain
from functions_app.domain.changes.deployments import AliasState, DeploymentPlan, Place, changed_message, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.fleet.repository_policies import allows_pull
from functions_app.domain.images.lambda_rules import Check, lambda_rules
from functions_app.domain.images.manifests import Index
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import ACTIVE, Done, Kind, Outcome, Skipped, Wait
from functions_app.models import Function, Plan, Run, Version
from functions_app.services.changes import alias_steps, image_choices
from functions_app.services.changes.alias_steps import patient, target_of, tell, uncertain
from functions_app.services.changes.image_choices import ResolvedImage
from functions_app.services.engine import plans
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people import access, accounts
from functions_app.services.snapshot import summaries

SHORT, LONG = timedelta(minutes=3), timedelta(minutes=15)


@dataclass(frozen=True)
class Planned:
    """A plan as made; `stored` is None where a check forbids it, so that it can't be confirmed."""

    plan: DeploymentPlan
    stored: Plan | None


def place_of(function: Function) -> Place:
    """Where a function of the snapshot is."""
    return Place(function.arn, function.name, function.account.account_id, function.region)


def plan(function: Function, image: str, alias: str, actor: User) -> Planned:
    """Resolve the image once, read function and alias, make all checks, freeze the lot. Changes nothing.

    Raises INVALID (what was typed), NOT_FOUND (image, function), DENIED, UNREACHABLE; a check that fails is in the
    plan. A refused attempt is in the audit table.
    """
    try:
        access.require_operator(actor)
        made = _plan(function, image, alias)
    except DrydockError as error:
        asked = {"image": image[:600], "alias": alias[:130]}
        access.audit(actor, "deployment.plan", function.arn, asked, f"refused: {error}")
        raise
    if any(check.ok is False for check in made.checks):
        reasons = " ".join(check.text for check in made.checks if check.ok is False)
        access.audit(actor, "deployment.plan", function.arn, made.as_json(), f"refused: {reasons}")
        return Planned(made, None)
    body = {
        **made.as_json(),
        "title": f"Deploy {image_name(made.image, made.tags)} to {function.name}:{made.alias}",
        "function_id": function.pk,
        "target": function.arn,
        "lock": function.arn,
        "confirm": made.confirm,
    }
    return Planned(made, plans.store(Kind.DEPLOYMENT, body, actor))


def image_name(image: str, tags: Sequence[str] = ()) -> str:
    """An image as a title names it: repository:tag, or repository@ and 12 digits with the tags that name it."""
    name = image.partition("/")[2] or image
    repository, _, digest = name.partition("@")
    beside = f" ({', '.join(tags)})" if tags else ""
    return f"{repository}@{short(digest)}{beside}" if digest else name


def _plan(function: Function, image: str, alias: str) -> DeploymentPlan:
    name = domain.check_alias_name(alias)
    reference = image_choices.read_reference(image, function)
    place = place_of(function)
    own = accounts.target(function.account, function.region)
    target, owner = image_choices.registry_target(reference.registry, own)
    resolved = _resolve(reference, target, owner, place)
    detail = lambdas.get_function(own, function.name)
    before = alias_steps.read_alias(place, name)
    latest = detail.fact.latest
    tool = domain.managed_by(detail.tags)
    return DeploymentPlan(
        place=place,
        alias=name,
        before=before,
        before_digest=_digest_of(own, function, before),
        to_digest=resolved.digest,
        image=str(reference),
        checks=(
            *_image_checks(resolved, detail),
            domain.place_check(reference.registry, place),
            _policy_check(reference, target, owner, place),
            *domain.state_checks(detail),
            other_run_check(function),
            domain.alias_check(name, before),
            domain.ownership_check(tool, function.owner),
        ),
        managed_by=tool,
        owner=function.owner,
        image_uri=resolved.uri,
        from_digest=latest.digest,
        function_revision=latest.revision_id,
        tags=image_choices.tags_now(reference),
    )


def _resolve(reference: ImageRef, target: Target, owner: str, place: Place) -> ResolvedImage:
    """Resolve once. Where ECR refuses because the repository's policy denies, the policy is what is told."""
    try:
        return image_choices.resolve(reference, target, owner)
    except DrydockError as error:
        if error.problem.code is not Code.DENIED:
            raise
        check = _policy_check(reference, target, owner, place)
        if check.ok is not False:
            raise
        raise DrydockError(
            Code.PREFLIGHT,
            f"{check.text} Nothing was changed.",
            next_step=f"Correct the policy of {reference.name}, then plan again.",
            aws_code=error.problem.aws_code,
            request_id=error.problem.request_id,
        ) from error


def _digest_of(target: Target, function: Function, alias: AliasState) -> str:
    if not alias.exists:
        return ""
    known = function.versions.filter(number=alias.version).exclude(number="$LATEST").first()
    if known is not None:
        return known.digest  # a published version's code never changes
    return lambdas.get_function(target, function.name, alias.version).fact.latest.digest


def _image_checks(resolved: ResolvedImage, detail: FunctionDetail) -> tuple[Check, ...]:
    present = Check("Image", True, f"ECR has it: {short(resolved.digest)}.")
    rules = lambda_rules(
        resolved.manifest,
        resolved.config,
        architecture=detail.fact.architecture,
        size_bytes=resolved.size_bytes,
    )
    if resolved.config_problem:
        rules = (*rules, Check("Config", None, resolved.config_problem))
    same = resolved.digest == detail.fact.latest.digest and not isinstance(resolved.manifest, Index)
    note = (Check("Difference", None, "$LATEST runs this very image already; only the alias moves."),) if same else ()
    return (present, *rules, *note)


def _policy_check(reference: ImageRef, target: Target, owner: str, place: Place) -> Check:
    """What the repository's policy says; one that may not be read leaves it to Lambda."""
    try:
        policy = ecr.repository_policy(target, reference.repository, registry_id=owner)
    except DrydockError as error:
        if error.problem.code is not Code.DENIED:
            raise
        return Check("Repository policy", None, f"The policy may not be read, so Lambda will decide. {error}")
    ok, text = allows_pull(policy, function_arn=place.arn, owner_account=owner)
    return Check("Repository policy", ok, text)


def other_run_check(function: Function) -> Check:
    """Whether another change of this function is under way."""
    run = Run.objects.filter(lock=function.arn, status__in=ACTIVE).first()
    if run is None:
        return Check("Other changes", True, "No other change of this function is under way.")
    return Check("Other changes", False, f"Run {run.pk} ({run.title}, by {run.actor_name}) is changing this function.")


# The run


def _check_again(context: Context) -> Outcome:
    frozen = DeploymentPlan.from_json(context.plan)
    if context.memory.get("checked"):
        return Done("checked before")
    detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
    if detail.fact.latest.revision_id != frozen.function_revision:
        raise changed_message(f"the function {frozen.place.name}")
    alias_steps.check_alias(frozen)
    domain.refuse_blocked(domain.state_checks(detail))
    context.memory["checked"] = True
    alias_steps.tell_alias(context, f"{frozen.alias} was not moved.")
    return Done("nothing was changed since the plan")


def _update_code(context: Context) -> Outcome:
    frozen = DeploymentPlan.from_json(context.plan)
    target = target_of(frozen.place)
    detail = lambdas.get_function(target, frozen.place.name)
    latest, wanted = detail.fact.latest, short(frozen.to_digest)
    untouched = latest.revision_id == frozen.function_revision
    ours = bool(context.memory.get("update_sent"))  # then the function is changed, and we may be who changed it
    if not untouched and not (ours and latest.digest == frozen.to_digest):
        raise _changed_code(context, frozen, latest.digest)
    if latest.digest == frozen.to_digest and not (untouched and detail.last_update_status == "Failed"):
        tell(context, f"Code updated to {wanted} ($LATEST)." if ours else f"Code of $LATEST was {wanted} before.")
        return Skipped(f"$LATEST has {wanted} already")
    context.memory["update_sent"] = True
    with uncertain(context, f"Code may or may not have been updated to {wanted} ($LATEST).", "Code was not updated."):
        lambdas.update_code(target, frozen.place.name, frozen.image_uri, frozen.function_revision)
    tell(context, f"Code updated to {wanted} ($LATEST).")
    return Done(f"{short(frozen.from_digest)} → {wanted}")


def _changed_code(context: Context, frozen: DeploymentPlan, now: str) -> DrydockError:
    """Somebody else changed the function: what became of our own update is told."""
    if context.memory.get("update_sent"):
        ours = f"Code was updated to {short(frozen.to_digest)}, or Lambda was asked to"
        tell(context, f"{ours}; somebody else changed $LATEST, which now runs {short(now)}.")
    return changed_message(f"the function {frozen.place.name}")


def _wait_for_update(context: Context) -> Outcome:
    frozen = DeploymentPlan.from_json(context.plan)
    detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
    latest = detail.fact.latest
    if latest.digest != frozen.to_digest:
        raise _changed_code(context, frozen, latest.digest)
    outcome = _settled(detail, "the update")
    # An update changes the revision twice, when it begins and when it has settled: this is the one to publish.
    context.memory["revision"] = latest.revision_id
    return outcome


def _settled(detail: FunctionDetail, what: str) -> Outcome:
    """Done when Lambda has taken it, Wait while it is at it. Raises FAILED at once on Failed, which is final."""
    reasons = [
        (detail.last_update_status, detail.last_update_reason_code, detail.last_update_reason),
        (detail.state, detail.state_reason_code, detail.state_reason),
    ]
    for status, code, reason in reasons:
        if status == "Failed":
            raise DrydockError(
                Code.FAILED,
                f"Lambda could not carry out {what}: {reason or 'no reason given'}{f' ({code})' if code else ''}",
                next_step="Remove the cause, then plan again. Versions that were published before still run.",
                aws_code=code,
            )
    if detail.last_update_status == "InProgress" or detail.state == "Pending":
        return Wait(1, f"{what} is in progress: state {detail.state}, update {detail.last_update_status}")
    return Done(f"state {detail.state}, update {detail.last_update_status or 'Successful'}")


def _publish(context: Context) -> Outcome:
    frozen = DeploymentPlan.from_json(context.plan)
    target = target_of(frozen.place)
    version = context.memory.get("version")
    if not version:
        version = context.memory["version"] = context.result["version"] = _publish_once(context, frozen, target)
        context.save()
        alias_steps.refresh(context)
    detail = lambdas.get_function(target, frozen.place.name, version)
    if detail.fact.latest.digest != frozen.to_digest:
        raise DrydockError(
            Code.FAILED, f"Version {version} runs {short(detail.fact.latest.digest)}, not what was planned."
        )
    state = _settled(detail, f"version {version}")
    return Done(f"version {version}") if isinstance(state, Done) else state


def _publish_once(context: Context, frozen: DeploymentPlan, target: Target) -> str:
    """The number of the version that holds what was planned: ours, or one there was where nothing has changed since.

    Lambda gives the last version again while $LATEST is unchanged, so a publish that is repeated makes no second one;
    if $LATEST was changed since, ours is found by its description.
    """
    name, mark = frozen.place.name, f"Drydock run {context.run.pk}, plan {context.plan['plan_id'][:8]}"
    latest = lambdas.get_function(target, name).fact.latest
    unchanged = latest.digest == frozen.to_digest and latest.revision_id == context.memory["revision"]
    if unchanged:
        with uncertain(context, "Version may or may not have been published.", "Version was not published."):
            fact = lambdas.publish_version(target, name, frozen.to_digest, latest.revision_id, mark)
        ours = fact.description == mark
    else:
        found = [
            one for one in lambdas.versions(target, name) if (one.description, one.digest) == (mark, frozen.to_digest)
        ]
        if not found:
            raise _changed_code(context, frozen, latest.digest)
        fact, ours = found[-1], True
    same = "was there before: nothing has changed since it was published"
    tell(context, f"Version {fact.number} {'published' if ours else same}.")
    return fact.number


def _point(context: Context) -> Outcome:
    return alias_steps.point(context, DeploymentPlan.from_json(context.plan), context.memory["version"])


def _put_back(context: Context) -> str | Wait:
    return alias_steps.put_back(context, DeploymentPlan.from_json(context.plan), context.memory["version"])


def _read_back(context: Context) -> Outcome:
    return alias_steps.read_back(context, DeploymentPlan.from_json(context.plan), context.memory["version"])


def _refresh(context: Context) -> Outcome:
    """Read the function into the snapshot. Its version keeps the tag it was chosen by: Lambda is given the digest.

    An image chosen by digest was chosen by no tag, so that none of its tags that moves on is drift.
    """
    outcome, frozen = alias_steps.refresh(context), DeploymentPlan.from_json(context.plan)
    chosen = ImageRef.parse(frozen.image)
    if tag := "" if chosen.digest else chosen.tag:
        function_id = context.plan["function_id"]
        published = Version.objects.filter(function_id=function_id, number=context.memory["version"])
        if published.update(deployed_tag=tag):
            summaries.refresh_summaries([function_id])
    return outcome


STEPS = (
    StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
    StepSpec("update", "Update the code", patient(_update_code), limit=SHORT),
    StepSpec("wait", "Wait for Lambda to take the image", patient(_wait_for_update), limit=LONG),
    StepSpec("publish", "Publish a version", patient(_publish), limit=LONG),
    StepSpec("alias", "Point the alias", patient(_point), undo=_put_back, limit=SHORT),
    StepSpec("verify", "Read back and compare", patient(_read_back), limit=LONG),
    StepSpec("refresh", "Refresh the snapshot", _refresh),
)
