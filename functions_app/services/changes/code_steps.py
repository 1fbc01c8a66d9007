"""The steps that bring an image into a function: update its code, wait for Lambda to take it, publish a version.

Every step reads AWS before it writes, so that one that is run again after a crash does no harm.
"""

from functions_app.aws import lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail, VersionFact
from functions_app.domain.fleet.lambda_states import Waiting, state_meaning, update_meaning
from functions_app.domain.runs import Done, Outcome, Skipped, Wait
from functions_app.services.changes.careful_steps import PASSING, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.run_words import OVERTAKEN
from functions_app.services.engine.steps import Context


def update_code(context: Context) -> Outcome:
    """Give Lambda the image, guarded by the revision that the function had in the plan."""
    frozen = CodeChange.from_json(context.plan)
    target = target_of(frozen.place)
    detail = lambdas.get_function(target, frozen.place.name)
    latest, wanted = detail.fact.latest, short(frozen.to_digest)
    untouched = latest.revision_id == frozen.function_revision
    ours = bool(context.shared.get("update_sent"))  # then the function is changed, and we may be who changed it
    if not untouched and not (ours and latest.digest == frozen.to_digest):
        raise _changed_code(context, frozen, latest.digest)
    if latest.digest == frozen.to_digest and not (untouched and detail.last_update_status == "Failed"):
        tell(context, f"Code updated to {wanted} ($LATEST)." if ours else f"Code of $LATEST was {wanted} before.")
        # What is ours is Done, also where only the next worker finds it: a step that was skipped is never taken back.
        return Done(f"$LATEST has {wanted}") if ours else Skipped(f"$LATEST has {wanted} already")
    context.shared["update_sent"] = True
    with uncertain(context, f"Code may or may not have been updated to {wanted} ($LATEST).", "Code was not updated."):
        lambdas.update_code(target, frozen.place.name, frozen.image_uri, frozen.function_revision)
    tell(context, f"Code updated to {wanted} ($LATEST).")
    return Done(f"{short(frozen.from_digest)} → {wanted}")


def _changed_code(context: Context, frozen: CodeChange, now: str) -> DrydockError:
    """Somebody else changed the function: what became of our own update, and what AWS runs now, is told."""
    name, ours, theirs = frozen.place.name, short(frozen.to_digest), short(now)
    if now == frozen.to_digest:
        if context.shared.get("update_sent"):
            tell(context, f"Code updated to {ours}, which $LATEST still runs; somebody else changed its configuration.")
        return changed_message(f"the function {name}", f"its configuration; $LATEST still runs {ours}")
    if context.shared.get("update_sent"):
        doubt = "" if context.shared.get("revision") else ", or Lambda was asked to"
        tell(context, f"Code was updated to {ours}{doubt}; somebody else changed $LATEST, which now runs {theirs}.")
        context.result[OVERTAKEN] = ["update", "wait"]
    else:
        tell(context, f"Code of $LATEST is {theirs} now: somebody else changed it.")
    return changed_message(f"the function {name}", f"$LATEST runs {theirs} now")


def wait_for_update(context: Context) -> Outcome:
    """Wait until Lambda has taken the image. Raises CHANGED, FAILED."""
    frozen = CodeChange.from_json(context.plan)
    detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
    latest = detail.fact.latest
    if latest.digest != frozen.to_digest:
        raise _changed_code(context, frozen, latest.digest)
    outcome = settled(detail, "the update")
    # An update changes the revision twice, when it begins and when it has settled: this is the one to publish.
    context.shared["revision"] = latest.revision_id
    return outcome


def settled(detail: FunctionDetail, what: str) -> Outcome:
    """Done once it is ready, Wait while it may become so. Raises FAILED at once where waiting is in vain."""
    state = state_meaning(detail.state, managed_latest=detail.is_managed_latest)
    update = update_meaning(detail.last_update_status, detail.state)
    reasons = [
        (update, detail.last_update_status, detail.last_update_reason_code, detail.last_update_reason),
        (state, detail.state, detail.state_reason_code, detail.state_reason),
    ]
    for meaning, word, code, reason in reasons:
        if meaning.waiting is Waiting.FAIL:
            why = reason or "no reason given"
            told = why if word == "Failed" else f"it is {word}, {meaning.says} ({why})"
            raise DrydockError(
                Code.FAILED,
                f"Lambda could not carry out {what}: {told}{f' ({code})' if code else ''}",
                next_step="Remove the cause, then plan again. Versions that were published before still run.",
                aws_code=code,
            )
    told = f"state {detail.state or 'not told'}, update {detail.last_update_status or 'not told'}"
    if Waiting.WAIT in (update.waiting, state.waiting):
        return Wait(1, f"{what} is in progress: {told}")
    return Done(told)


def publish(context: Context) -> Outcome:
    """Publish a version of what was planned, and wait until it can be called. Raises CHANGED, FAILED."""
    frozen = CodeChange.from_json(context.plan)
    target = target_of(frozen.place)
    version = context.shared.get("version")
    if not version:
        version = context.shared["version"] = context.result["version"] = _publish_once(context, frozen, target)
        context.save()
    detail = lambdas.get_function(target, frozen.place.name, version)
    if detail.fact.latest.digest != frozen.to_digest:
        raise DrydockError(
            Code.FAILED, f"Version {version} runs {short(detail.fact.latest.digest)}, not what was planned."
        )
    state = settled(detail, f"version {version}")
    return Done(f"version {version}") if isinstance(state, Done) else state


def _publish_once(context: Context, frozen: CodeChange, target: Target) -> str:
    """The number of the version that holds what was planned: ours, or one there was where nothing has changed since.

    Lambda gives the last version again while $LATEST is unchanged, so a publish that is repeated makes no second one;
    if $LATEST was changed since, ours is found by its description.
    """
    name, mark = frozen.place.name, f"Drydock run {context.run.pk}, plan {str(context.run.made_from_id)[:8]}"
    latest = lambdas.get_function(target, name).fact.latest
    unchanged = latest.digest == frozen.to_digest and latest.revision_id == context.shared["revision"]
    if unchanged:
        fact = _publish(context, frozen, target, latest.revision_id, mark)
        ours = fact.description == mark
    else:
        found = [
            one
            for one in lambdas.versions(target, name).facts
            if (one.description, one.digest) == (mark, frozen.to_digest)
        ]
        if not found:
            raise _changed_code(context, frozen, latest.digest)
        fact, ours = found[-1], True
    same = "was there before: nothing has changed since it was published"
    tell(context, f"Version {fact.number} {'published' if ours else same}.")
    return fact.number


def _publish(context: Context, frozen: CodeChange, target: Target, revision: str, mark: str) -> VersionFact:
    """Publish what $LATEST was a moment ago. Where Lambda refuses, it may be since somebody else was quicker."""
    name = frozen.place.name
    try:
        with uncertain(context, "Version may or may not have been published.", "Version was not published."):
            return lambdas.publish_version(target, name, frozen.to_digest, revision, mark)
    except DrydockError as error:
        if error.problem.code in PASSING:
            raise
        latest = lambdas.get_function(target, name).fact.latest
        if (latest.digest, latest.revision_id) == (frozen.to_digest, revision):
            raise
        raise _changed_code(context, frozen, latest.digest) from error
