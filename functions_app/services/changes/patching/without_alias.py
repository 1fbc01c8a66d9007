"""Patching a function that has no alias: the update itself is the shift, so the way back is made before it."""

from functions_app.aws import lambdas
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, Wait
from functions_app.services.changes import code_steps, smoke
from functions_app.services.changes.alias_steps import LOOKS
from functions_app.services.changes.careful_steps import LONG, SHORT, patient, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.changes.patching.code_back import UPDATE
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


def steps(*, smoked: bool) -> tuple[StepSpec, ...]:
    """The shift, and, `smoked`, one call at once: where it fails what was before is put back."""
    return (
        StepSpec("keep", "Publish the way back", patient(_keep), limit=SHORT),
        UPDATE,
        StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
        *((smoke.AT_ONCE,) if smoked else ()),
        StepSpec("verify", "Read back and compare", patient(_read_back), limit=LONG, settles=True),
    )
