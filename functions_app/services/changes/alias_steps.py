"""The steps that deployments and rollbacks share: check again, point an alias, read it back, put it back.

Every step reads AWS before it writes, so that one that is run again after a crash does no harm.
"""

from collections.abc import Callable
from datetime import timedelta

from functions_app.aws import lambdas
from functions_app.domain.changes.aliases import AliasState, what_changed
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import AliasPlan, DeploymentPlan, short
from functions_app.domain.changes.planned_ways_back import Held, ImageNow
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, FunctionPlace
from functions_app.domain.runs import Done, Outcome, Wait
from functions_app.services.changes import image_choices
from functions_app.services.changes.careful_steps import ALIAS, LONG, PASSING, SHORT, patient, refresh, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.steps import Context, StepSpec

UNDO_LIMIT = timedelta(minutes=3)  # an alias is not left where it must not be for want of patience
UNDO_PAUSE = 2.0  # seconds between two tries
LOOKS = 5  # at an alias that was just pointed: Lambda's answers may lag behind its own writes for a moment


def moving(goal: Callable[[Context], tuple[AliasPlan, str]]) -> tuple[StepSpec, StepSpec]:
    """The steps that point the alias of a plan to a version, which is put back if anything fails, and read it back."""

    def point_it(context: Context) -> Outcome:
        return point(context, *goal(context))

    def put_it_back(context: Context) -> str | Wait:
        return put_back(context, *goal(context))

    def read_it_back(context: Context) -> Outcome:
        return read_back(context, *goal(context))

    return (
        StepSpec("alias", "Point the alias", patient(point_it), undo=put_it_back, limit=SHORT, undo_limit=UNDO_LIMIT),
        StepSpec("verify", "Read back and compare", patient(read_it_back), limit=LONG, settles=True),
    )


def check_once(context: Context, plan: AliasPlan, look: Callable[[], None], found: str) -> Outcome:
    """Look whether all is as planned, until it was: later on the run itself has changed what is looked at."""
    if context.memory.get("checked"):
        return Done("checked before")
    look()
    context.memory["checked"] = True
    tell_alias(context, f"{plan.alias} was not moved.")
    return Done(found)


def read_alias(place: FunctionPlace, alias: str) -> AliasState:
    """Where the alias points now."""
    return AliasState.of(lambdas.get_alias(target_of(place), place.name, alias))


def check_alias(plan: AliasPlan) -> None:
    """Raise CHANGED unless the alias is as it was when the plan was made."""
    now = read_alias(plan.place, plan.alias)
    if what := what_changed(plan.before, now):
        raise changed_message(f"alias {plan.alias}", f"it {what}")


def point(context: Context, plan: AliasPlan, version: str) -> Outcome:
    """Point the alias to the version alone, guarded by the revision it had in the plan."""
    place, target = plan.place, target_of(plan.place)
    now = read_alias(place, plan.alias)
    if now.routes_like(AliasState(version)):
        tell_alias(context, f"{plan.alias} points to version {version}.")
        return Done(f"{plan.alias} points to version {version}")
    if what := what_changed(plan.before, now):
        tell_alias(context, f"{plan.alias} was left alone: somebody changed it meanwhile, and it points to {now}.")
        raise changed_message(f"alias {plan.alias}", f"it {what}")
    maybe = f"{ALIAS}{plan.alias} may or may not point to version {version} by now."
    try:
        with uncertain(context, maybe, f"{ALIAS}{plan.alias} was not moved."):
            if now.exists:
                fact = lambdas.update_alias(target, place.name, plan.alias, version, "", 0.0, now.revision_id)
            else:
                fact = lambdas.create_alias(target, place.name, plan.alias, version)
    except DrydockError as error:
        if error.problem.code is Code.BUSY:  # provisioned concurrency is being allocated, or an alias was just made
            return Wait(2, f"Lambda does not let {plan.alias} be moved now: {error}")
        raise
    context.memory["alias_revision"] = fact.revision_id
    context.log.info(f"{plan.alias}: {plan.before} → version {version}")
    tell_alias(context, f"{plan.alias} points to version {version}.")
    return Done(f"{plan.alias}: {plan.before} → version {version}")


def read_back(context: Context, plan: AliasPlan, version: str) -> Outcome:
    """Compare what the alias really runs with what was planned. Raises FAILED, upon which the alias is put back."""
    now = read_alias(plan.place, plan.alias)
    found = ""
    if now.routes_like(AliasState(version)):
        detail = lambdas.get_function(target_of(plan.place), plan.place.name, plan.alias)
        found = detail.fact.latest.digest
    if found == plan.to_digest:
        return _allocated(context, plan) or _pullable(context, plan)
    context.memory["looks"] = context.memory.get("looks", 0) + 1
    told = f"{plan.alias} points to {now}" + (f" with digest {short(found)}" if found else "")
    if context.memory["looks"] < LOOKS:
        return Wait(1, f"{told}; looking again")
    raise DrydockError(
        Code.FAILED,
        f"Read back, {told}; planned was version {version} with digest {short(plan.to_digest)}.",
        next_step="See below whether the alias was put back, and who else changes this function.",
    )


def _allocated(context: Context, plan: AliasPlan) -> Outcome | None:
    """Wait for the alias's provisioned concurrency, which Lambda allocates anew; None where there is no need to."""
    try:
        status, reason = lambdas.provisioned_concurrency(target_of(plan.place), plan.place.name, plan.alias)
    except DrydockError as error:
        if error.problem.code in PASSING:
            raise
        context.log.warning(f"Whether provisioned concurrency is allocated can't be read. {error}")
        return None
    if status in ("", "READY"):
        return None
    if status != "FAILED":  # IN_PROGRESS, or a word that nobody knows
        said = "is being allocated" if status == "IN_PROGRESS" else f"is {status}"
        return Wait(2, f"provisioned concurrency of {plan.alias} {said}")
    raise DrydockError(
        Code.FAILED,
        f"Lambda could not allocate the provisioned concurrency of {plan.alias}: {reason or 'no reason given'}",
        next_step="Remove the cause, then plan again.",
    )


def _pullable(context: Context, plan: AliasPlan) -> Outcome:
    """See that ECR still has the image, for the next cold start.

    That ECR does not tell takes nothing back, whatever the error: the alias was just read back, and it is right.
    """
    done = f"{plan.alias} runs {short(plan.to_digest)}, as planned"
    try:
        image = image_choices.image_now(plan.uri, target_of(plan.place))
    except DrydockError as error:
        context.memory["ecr_looks"] = context.memory.get("ecr_looks", 0) + 1
        if error.problem.code in PASSING and context.memory["ecr_looks"] < LOOKS:
            return Wait(2, f"{done}; whether ECR has its image is asked again: {error}")
        image = ImageNow(Held.UNKNOWN, str(error))
    if image.held is Held.THERE:
        return Done(f"{done}; ECR has its image")
    if image.held is Held.UNKNOWN:
        context.log.warning(f"Whether ECR still has the image is not known. {image.why}")
        return Done(f"{done}; whether ECR has its image is not known")
    raise DrydockError(
        Code.FAILED,
        f"{plan.alias} runs {short(plan.to_digest)}, but Lambda can't pull that again. {image.why}",
        next_step="Push the image again, or restore it, then plan again.",
    )


def put_back(context: Context, plan: AliasPlan, version: str) -> str | Wait:
    """Undo `point`: the alias goes where it was, unless somebody has changed it since. Says what was done.

    Tried again for as long as UNDO_LIMIT where AWS gives no answer, throttles or is busy with the alias.
    """
    try:
        return _put_back(context, plan, version)
    except DrydockError as error:
        tell_alias(context, f"{plan.alias} could not be put back to {plan.before}: look at it in Lambda. {error}")
        if error.problem.code in {*PASSING, Code.BUSY, Code.CHANGED}:
            context.log.warning(f"{error} Trying again in {UNDO_PAUSE:g} s.")
            return Wait(UNDO_PAUSE, str(error))
        raise


def _put_back(context: Context, plan: AliasPlan, version: str) -> str:
    place, target = plan.place, target_of(plan.place)
    now = read_alias(place, plan.alias)
    ours = context.memory.get("alias_revision", now.revision_id)
    if now.routes_like(plan.before):
        note = f"alias {plan.alias} points to {plan.before}, as before"
    elif not now.routes_like(AliasState(version)) or now.revision_id != ours:
        note = f"alias {plan.alias} was left alone: somebody changed it meanwhile, and it points to {now}"
    elif not plan.before.exists:
        lambdas.delete_alias(target, place.name, plan.alias)
        note = f"alias {plan.alias} was removed again; it did not exist before"
    else:
        before = plan.before
        lambdas.update_alias(
            target,
            place.name,
            plan.alias,
            before.version,
            before.second_version,
            before.second_weight,
            now.revision_id,
        )
        # An alias on $LATEST goes where $LATEST is now: a deployment has changed that.
        changed = f", which runs the new image {short(plan.to_digest)}" if _latest_is_new(plan) else ""
        note = f"alias {plan.alias} was put back to {before}{changed}"
    tell_alias(context, f"{note.removeprefix('alias ')}.")
    refresh(context)
    return note


def _latest_is_new(plan: AliasPlan) -> bool:
    return plan.before.version == LATEST and isinstance(plan, DeploymentPlan)


def tell_alias(context: Context, words: str) -> None:
    """What was really done with the alias."""
    tell(context, f"{ALIAS}{words}")
