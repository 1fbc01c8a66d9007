"""The update of code that a patch takes back where it fails: $LATEST gets the image that it ran before."""

from functions_app.aws import lambdas
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.fleet.lambda_states import Waiting, update_meaning
from functions_app.domain.runs import Wait
from functions_app.services.changes import code_steps
from functions_app.services.changes.alias_steps import UNDO_PAUSE
from functions_app.services.changes.careful_steps import LONG, PASSING, SHORT, patient, refresh, tell
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.steps import Context, StepSpec


def put_code_back(context: Context) -> str | Wait:
    """Undo `update_code`, unless somebody has changed $LATEST since; waits until Lambda has taken what was before."""
    frozen = CodeChange.from_json(context.plan)
    if not context.shared.get("update_sent"):
        return "$LATEST was not updated"
    try:
        return _put_back(context, frozen)
    except DrydockError as error:
        tell(context, f"Code could not be put back to {short(frozen.from_digest)}: look at it in Lambda. {error}")
        if error.problem.code in {*PASSING, Code.BUSY, Code.CHANGED}:
            context.log.warning(f"{error} Trying again in {UNDO_PAUSE:g} s.")
            return Wait(UNDO_PAUSE, str(error))
        raise


def _put_back(context: Context, frozen: CodeChange) -> str | Wait:
    target, name, before = target_of(frozen.place), frozen.place.name, short(frozen.from_digest)
    detail = lambdas.get_function(target, name)
    latest = detail.fact.latest
    if latest.digest == frozen.to_digest:
        context.memory["sent_back"] = True
        tell(context, f"Code may or may not have been put back to {before} ($LATEST).")
        context.save()
        uri = f"{frozen.image_uri.partition('@')[0]}@{frozen.from_digest}"
        lambdas.update_code(target, name, uri, latest.revision_id)
        return Wait(1, f"Lambda takes {before} back")
    if latest.digest != frozen.from_digest:
        words = f"was left alone: somebody changed it meanwhile, and it runs {short(latest.digest)}"
    elif waits := _not_taken(context, detail):
        return waits
    else:
        words = f"was put back to {before}" if context.memory.get("sent_back") else f"is {before}, as before"
    tell(context, f"Code of $LATEST {words}.")
    refresh(context)
    return f"$LATEST {words}"


def _not_taken(context: Context, detail: FunctionDetail) -> Wait | None:
    """What there is to wait for, None once Lambda has taken it back. Raises FAILED where it can't."""
    meaning = update_meaning(detail.last_update_status, detail.state)
    if meaning.waiting is Waiting.WAIT:
        return Wait(1, f"Lambda takes it back: update {detail.last_update_status or 'not told'}")
    if meaning.waiting is Waiting.FAIL and context.memory.get("sent_back"):
        raise DrydockError(
            Code.FAILED,
            f"Lambda could not take it back: {detail.last_update_reason or 'no reason given'}",
            next_step="Remove the cause, then deploy the image of before.",
            aws_code=detail.last_update_reason_code,
        )
    return None


UPDATE = StepSpec(
    "update",
    "Update the code",
    patient(code_steps.update_code),
    undo=put_code_back,
    limit=SHORT,
    undo_limit=LONG,
)
