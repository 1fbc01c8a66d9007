"""Patching a function that has no alias: the update itself is the shift, so the way back is made before it."""

from functions_app.aws import lambdas
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, Wait
from functions_app.services.changes import code_steps
from functions_app.services.changes.alias_steps import LOOKS, UNDO_LIMIT, UNDO_PAUSE
from functions_app.services.changes.careful_steps import LONG, PASSING, SHORT, patient, refresh, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.steps import Context, StepSpec


def _keep(context: Context) -> Outcome:
    """Publish what $LATEST is: Lambda gives the version there is where nothing has changed since the last."""
    frozen = CodeChange.from_json(context.plan)
    if kept := context.shared.get("kept"):
        return Done(f"version {kept}")
    mark = f"Drydock run {context.run.pk}: before the patch"
    with uncertain(context, "Version may or may not have been published.", "Version was not published."):
        fact = lambdas.publish_version(
            target_of(frozen.place), frozen.place.name, frozen.from_digest, frozen.function_revision, mark
        )
    context.shared["kept"] = context.result["kept"] = fact.number
    tell(context, f"Version {fact.number} is what $LATEST was before.")
    return Done(f"version {fact.number} has what $LATEST was")


def _put_back(context: Context) -> str | Wait:
    """Give $LATEST the image of before, unless somebody has changed it since."""
    frozen = CodeChange.from_json(context.plan)
    try:
        return _give_back(context, frozen)
    except DrydockError as error:
        tell(context, f"Code could not be put back to {short(frozen.from_digest)}: look at it in Lambda. {error}")
        if error.problem.code in {*PASSING, Code.BUSY, Code.CHANGED}:
            context.log.warning(f"{error} Trying again in {UNDO_PAUSE:g} s.")
            return Wait(UNDO_PAUSE, str(error))
        raise


def _give_back(context: Context, frozen: CodeChange) -> str | Wait:
    target, name, before = target_of(frozen.place), frozen.place.name, short(frozen.from_digest)
    latest = lambdas.get_function(target, name).fact.latest
    if latest.digest == frozen.from_digest:
        note = f"$LATEST runs {before}, as before"
    elif latest.digest != frozen.to_digest:
        note = f"$LATEST was left alone: somebody changed it meanwhile, and it runs {short(latest.digest)}"
    else:
        uri = f"{frozen.image_uri.partition('@')[0]}@{frozen.from_digest}"
        lambdas.update_code(target, name, uri, latest.revision_id)
        note = f"$LATEST was put back to {before}"
    tell(context, f"Code: {note}.")
    refresh(context)
    return note


def _read_back(context: Context) -> Outcome:
    """Compare what calls reach with what was planned. Raises FAILED, upon which the code is put back."""
    frozen = CodeChange.from_json(context.plan)
    found = lambdas.get_function(target_of(frozen.place), frozen.place.name).fact.latest.digest
    if found == frozen.to_digest:
        return Done(f"$LATEST runs {short(found)}, as planned")
    context.memory["looks"] = context.memory.get("looks", 0) + 1
    if context.memory["looks"] < LOOKS:
        return Wait(1, f"$LATEST runs {short(found)}; looking again")
    raise DrydockError(
        Code.FAILED,
        f"Read back, $LATEST runs {short(found)}; planned was {short(frozen.to_digest)}.",
        next_step="See below whether it was put back, and who else changes this function.",
    )


STEPS = (
    StepSpec("keep", "Publish the way back", patient(_keep), limit=SHORT),
    StepSpec(
        "update",
        "Update the code",
        patient(code_steps.update_code),
        undo=_put_back,
        limit=SHORT,
        undo_limit=UNDO_LIMIT,
    ),
    StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
    StepSpec("verify", "Read back and compare", patient(_read_back), limit=LONG, settles=True),
)
