"""The steps that deployments and rollbacks share: check again, point an alias, read it back, put it back.

Every step reads AWS before it writes, so that one that is run again after a crash does no harm.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from functions_app.aws import lambdas
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState, what_changed
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.planned_ways_back import Held, ImageNow
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import AliasFact, FunctionPlace
from functions_app.domain.runs import Done, Outcome, Wait
from functions_app.services.changes import image_choices
from functions_app.services.changes.careful_steps import ALIAS, LONG, PASSING, SHORT, patient, refresh, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.steps import Context, StepSpec

UNDO_LIMIT = timedelta(minutes=3)  # an alias is not left where it must not be for want of patience
UNDO_PAUSE = 2.0  # seconds between two tries
LOOKS = 5  # at an alias that was just pointed: Lambda's answers may lag behind its own writes for a moment


Goal = Callable[[Context], tuple[AliasMove, AliasState]]
"""Which alias goes where, as a run has it: the version may be one that the run has published."""


def moving(goal: Goal) -> tuple[StepSpec, StepSpec]:
    """The steps that point an alias, which is put back if anything fails, and read it back."""
    return pointing(goal), reading_back(goal)


def pointing(goal: Goal, name: str = "alias", title: str = "Point the alias") -> StepSpec:
    """The step that points an alias, which is put back if anything fails."""

    def point_it(context: Context) -> Outcome:
        return point(context, *goal(context))

    def put_it_back(context: Context) -> str | Wait:
        return put_back(context, *goal(context))

    return StepSpec(name, title, patient(point_it), undo=put_it_back, limit=SHORT, undo_limit=UNDO_LIMIT)


def reading_back(
    goal: Goal, name: str = "verify", title: str = "Read back and compare", *, settles: bool = True
) -> StepSpec:
    """The step that compares what an alias really runs with what was planned."""

    def read_it_back(context: Context) -> Outcome:
        return read_back(context, *goal(context))

    return StepSpec(name, title, patient(read_it_back), limit=LONG, settles=settles)


def check_once(context: Context, aliases: Iterable[str], look: Callable[[], None], found: str) -> Outcome:
    """Look whether all is as planned, until it was: later on the run itself has changed what is looked at."""
    if context.memory.get("checked"):
        return Done("checked before")
    look()
    context.memory["checked"] = True
    for alias in aliases:
        tell_alias(context, f"{alias} was not moved.")
    return Done(found)


def read_alias(place: FunctionPlace, alias: str) -> AliasState:
    """Where the alias points now."""
    return AliasState.of(lambdas.get_alias(target_of(place), place.name, alias))


def check_alias(move: AliasMove) -> None:
    """Raise CHANGED unless the alias is as it was when the plan was made."""
    now = read_alias(move.place, move.alias)
    if what := what_changed(move.before, now):
        raise changed_message(f"alias {move.alias}", f"it {what}")


def point(context: Context, move: AliasMove, goal: AliasState) -> Outcome:
    """Point the alias, guarded by the revision it had in the plan. Its routing is always sent."""
    place, target = move.place, target_of(move.place)
    now = read_alias(place, move.alias)
    if now.routes_like(goal):
        tell_alias(context, f"{move.alias} points to {goal}.")
        return Done(f"{move.alias} points to {goal}")
    if what := what_changed(move.before, now):
        tell_alias(context, f"{move.alias} was left alone: somebody changed it meanwhile, and it points to {now}.")
        raise changed_message(f"alias {move.alias}", f"it {what}")
    maybe = f"{ALIAS}{move.alias} may or may not point to {goal} by now."
    try:
        with uncertain(context, maybe, f"{ALIAS}{move.alias} was not moved."):
            if now.exists:
                fact = _route(move, goal, now.revision_id)
            else:
                fact = lambdas.create_alias(target, place.name, move.alias, goal.version)
    except DrydockError as error:
        if error.problem.code is Code.BUSY:  # provisioned concurrency is being allocated, or an alias was just made
            return Wait(2, f"Lambda does not let {move.alias} be moved now: {error}")
        raise
    context.memory["alias_revision"] = fact.revision_id
    context.log.info(f"{move.alias}: {move.before} → {goal}")
    tell_alias(context, f"{move.alias} points to {goal}.")
    return Done(f"{move.alias}: {move.before} → {goal}")


def read_back(context: Context, move: AliasMove, goal: AliasState) -> Outcome:
    """Compare what the alias really runs with what was planned. Raises FAILED, upon which the alias is put back."""
    now = read_alias(move.place, move.alias)
    found = ""
    if now.routes_like(goal):
        detail = lambdas.get_function(target_of(move.place), move.place.name, move.proof(goal))
        found = detail.fact.latest.digest
    if found == move.to_digest:
        return _allocated(context, move) or _pullable(context, move)
    context.memory["looks"] = context.memory.get("looks", 0) + 1
    told = f"{move.alias} points to {now}" + (f" with digest {short(found)}" if found else "")
    if context.memory["looks"] < LOOKS:
        return Wait(1, f"{told}; looking again")
    raise DrydockError(
        Code.FAILED,
        f"Read back, {told}; planned was {goal} with digest {short(move.to_digest)}.",
        next_step="See below whether the alias was put back, and who else changes this function.",
    )


def _allocated(context: Context, move: AliasMove) -> Outcome | None:
    """Wait for the alias's provisioned concurrency, which Lambda allocates anew; None where there is no need to."""
    try:
        status, reason = lambdas.provisioned_concurrency(target_of(move.place), move.place.name, move.alias)
    except DrydockError as error:
        if error.problem.code in PASSING:
            raise
        context.log.warning(f"Whether provisioned concurrency is allocated can't be read. {error}")
        return None
    if status in ("", "READY"):
        return None
    if status != "FAILED":  # IN_PROGRESS, or a word that nobody knows
        said = "is being allocated" if status == "IN_PROGRESS" else f"is {status}"
        return Wait(2, f"provisioned concurrency of {move.alias} {said}")
    raise DrydockError(
        Code.FAILED,
        f"Lambda could not allocate the provisioned concurrency of {move.alias}: {reason or 'no reason given'}",
        next_step="Remove the cause, then plan again.",
    )


def _pullable(context: Context, move: AliasMove) -> Outcome:
    """See that ECR still has the image, for the next cold start.

    That ECR does not tell takes nothing back, whatever the error: the alias was just read back, and it is right.
    """
    done = f"{move.alias} runs {short(move.to_digest)}, as planned"
    try:
        image = image_choices.image_now(move.uri, target_of(move.place))
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
        f"{move.alias} runs {short(move.to_digest)}, but Lambda can't pull that again. {image.why}",
        next_step="Push the image again, or restore it, then plan again.",
    )


def put_back(context: Context, move: AliasMove, goal: AliasState) -> str | Wait:
    """Undo `point`: the alias goes where it was, unless somebody has changed it since. Says what was done.

    Tried again for as long as UNDO_LIMIT where AWS gives no answer, throttles or is busy with the alias.
    """
    try:
        return _put_back(context, move, goal)
    except DrydockError as error:
        tell_alias(context, f"{move.alias} could not be put back to {move.before}: look at it in Lambda. {error}")
        if error.problem.code in {*PASSING, Code.BUSY, Code.CHANGED}:
            context.log.warning(f"{error} Trying again in {UNDO_PAUSE:g} s.")
            return Wait(UNDO_PAUSE, str(error))
        raise


def _put_back(context: Context, move: AliasMove, goal: AliasState) -> str:
    place, target = move.place, target_of(move.place)
    now = read_alias(place, move.alias)
    ours = context.memory.get("alias_revision", now.revision_id)
    if now.routes_like(move.before):
        note = f"alias {move.alias} points to {move.before}, as before"
    elif not now.routes_like(goal) or now.revision_id != ours:
        note = f"alias {move.alias} was left alone: somebody changed it meanwhile, and it points to {now}"
    elif not move.before.exists:
        lambdas.delete_alias(target, place.name, move.alias)
        note = f"alias {move.alias} was removed again; it did not exist before"
    else:
        _route(move, move.before, now.revision_id)
        # An alias on $LATEST goes where $LATEST is now.
        changed = f", which runs the new image {short(move.to_digest)}" if move.was_latest else ""
        note = f"alias {move.alias} was put back to {move.before}{changed}"
    tell_alias(context, f"{note.removeprefix('alias ')}.")
    refresh(context)
    return note


def _route(move: AliasMove, to: AliasState, revision_id: str) -> AliasFact:
    weights = (to.version, to.second_version, to.second_weight)
    return lambdas.update_alias(target_of(move.place), move.place.name, move.alias, *weights, revision_id)


def tell_alias(context: Context, words: str) -> None:
    """What was really done with the alias."""
    tell(context, f"{ALIAS}{words}")
