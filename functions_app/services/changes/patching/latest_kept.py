"""Patching what is live while $LATEST is something else: it is safekept, lent to the patch, and given back.

Every step looks before it writes. What $LATEST is, is known by its image and its configuration, field by field, so that
one that is run again after a crash knows its own work, and leaves alone what somebody else made meanwhile.
"""

from functions_app.aws import lambda_configurations, lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patching.latest_kept import Goal, LatestKept, Next, Seen, next_change
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, FunctionDetail
from functions_app.domain.fleet.lambda_states import Waiting, state_meaning, update_meaning
from functions_app.domain.runs import Done, Outcome, Wait
from functions_app.services.changes import code_steps
from functions_app.services.changes.alias_steps import UNDO_PAUSE
from functions_app.services.changes.careful_steps import LONG, PASSING, SHORT, patient, refresh, tell, uncertain
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.run_words import OVERTAKEN
from functions_app.services.engine.steps import Context, StepSpec

AGAIN = frozenset({Code.BUSY, Code.CHANGED})  # an update is in progress, or the revision moved on: look once more


def _planned(context: Context) -> tuple[PatchPlan, LatestKept, Target]:
    frozen = PatchPlan.from_json(context.plan)
    if frozen.kept is None:
        raise AssertionError("unreachable: these steps are of plans that keep $LATEST")
    return frozen, frozen.kept, target_of(frozen.place)


def _keep(context: Context) -> Outcome:
    """Publish $LATEST without a word of our own, so that the version is what $LATEST is to the last field.

    Lambda gives the version there is where nothing has changed since it was published.
    """
    frozen, kept, target = _planned(context)
    number, name = context.shared.get("kept"), frozen.place.name
    if not number:
        number = _safekept(context, frozen, target)
    seen = lambda_configurations.look(target, name, number, kept.live_version)[1]
    same_image = lambdas.get_function(target, name, number).fact.latest.digest == frozen.from_digest
    if not (seen.like_kept and same_image and seen.digest == frozen.from_digest):
        raise changed_message(f"the function {name}", f"version {number} is not what $LATEST is")
    context.shared["kept"] = context.result["kept"] = number
    tell(context, f"Version {number} is what $LATEST was before.")
    return Done(f"version {number} has what $LATEST is")


def _safekept(context: Context, frozen: PatchPlan, target: Target) -> str:
    """Published at the planned revision; after a crash the newest version, which the caller compares."""
    name = frozen.place.name
    latest = lambdas.get_function(target, name).fact.latest
    if latest.revision_id != frozen.function_revision:
        numbers = [one.number for one in lambdas.versions(target, name).facts if not one.number.startswith(LATEST)]
        if latest.digest != frozen.from_digest or not numbers or not context.memory.get("asked"):
            raise changed_message(f"the function {name}", f"$LATEST runs {short(latest.digest)}")
        return max(numbers, key=int)
    context.memory["asked"] = True
    with uncertain(context, "Version may or may not have been published.", "Version was not published."):
        return lambdas.publish_version(target, name, frozen.from_digest, frozen.function_revision, None).number


def _lend(context: Context) -> Outcome:
    """Make $LATEST what is patched, a call at a time. Raises CHANGED, FAILED."""
    frozen, kept, _ = _planned(context)
    detail, seen = _look(context)
    change = next_change(seen, frozen.from_digest, frozen.to_digest, Goal.PATCHED)
    settled = code_steps.settled(detail, "the update")
    if isinstance(settled, Wait):
        return settled
    if change is Next.LEAVE:
        _tell_left(context, detail)
        raise changed_message(f"the function {frozen.place.name}", f"$LATEST runs {short(detail.fact.latest.digest)}")
    if not (seen.like_live or context.memory.get("rehearsed")):
        return _rehearse(context, detail, kept.live_version)
    if change is not Next.NOTHING:
        return _send(context, change, detail, frozen.image_uri, kept.live_version)
    context.shared["revision"] = detail.fact.latest.revision_id  # settled: an update changes it twice
    context.shared["update_sent"] = True
    wanted = short(frozen.to_digest)
    tell(context, f"Code of $LATEST is {wanted} for now, configured as version {kept.live_version} is.")
    return Done(f"$LATEST has {wanted}, configured as version {kept.live_version}")


def _look(context: Context) -> tuple[FunctionDetail, Seen]:
    frozen, kept, target = _planned(context)
    return lambda_configurations.look(target, frozen.place.name, context.shared["kept"], kept.live_version)


def _rehearse(context: Context, detail: FunctionDetail, live: str) -> Wait:
    """Before anything is lent: what could not be given back shows now, by an update that changes nothing."""
    frozen, _, target = _planned(context)
    try:
        lambda_configurations.rehearse(target, frozen.place.name, live, detail.fact.latest.revision_id)
    except DrydockError as error:
        if error.problem.code in AGAIN:
            return Wait(2, f"looking again: {error}")
        raise
    context.memory["rehearsed"] = True
    context.log.info("Drydock may set the settings of $LATEST that differ: they can be given back.")
    return Wait(0.5, "Lambda takes what $LATEST has already")


def _send(context: Context, change: Next, detail: FunctionDetail, image_uri: str, like: str) -> Wait:
    """One call, guarded by the revision that was just looked at; then it is looked anew."""
    frozen, _, target = _planned(context)
    context.shared["lent"] = True
    name, revision = frozen.place.name, detail.fact.latest.revision_id
    what = f"the image {short(image_uri.partition('@')[2])}" if change is Next.UPDATE else f"version {like}'s settings"
    maybe, not_done = (f"Code: $LATEST {how} given {what}." for how in ("may or may not have been", "was not"))
    try:
        with uncertain(context, maybe, not_done):
            if change is Next.UPDATE:
                lambdas.update_code(target, name, image_uri, revision)
            else:
                lambda_configurations.configure(target, name, like, revision)
    except DrydockError as error:
        if error.problem.code in AGAIN:
            return Wait(2, f"looking again: {error}")
        raise
    context.log.info(f"$LATEST was given {what}.")
    return Wait(0.5, f"Lambda takes {what}")


def _publish(context: Context) -> Outcome:
    """Publish what is patched; its configuration has to be that of what is live, whatever happened to $LATEST."""
    frozen, kept, target = _planned(context)
    outcome = code_steps.publish(context)
    version = context.shared["version"]
    if isinstance(outcome, Wait) or lambda_configurations.same(target, frozen.place.name, version, kept.live_version):
        return outcome
    raise DrydockError(
        Code.FAILED,
        f"Version {version} is configured otherwise than version {kept.live_version}.",
        next_step="See below what became of $LATEST, and who else changes this function.",
    )


def _give_back(context: Context) -> Outcome:
    """Make $LATEST what it was, a call at a time; what somebody else made of it is left, and told."""
    frozen, kept, _ = _planned(context)
    number = context.shared["kept"]
    detail, seen = _look(context)
    change = next_change(seen, frozen.from_digest, frozen.to_digest, Goal.KEPT)
    state, update = state_meaning(detail.state), update_meaning(detail.last_update_status, detail.state)
    if Waiting.WAIT in (state.waiting, update.waiting):
        return Wait(1, f"Lambda is at $LATEST: state {detail.state}, update {detail.last_update_status}")
    if change is Next.LEAVE:
        return Done(_tell_left(context, detail))
    if change is Next.NOTHING and detail.last_update_status == "Failed" and not context.memory.get("sent_again"):
        context.memory["sent_again"] = True  # Lambda could not take what was sent: what it tells may not be what runs
        change = Next.UPDATE
    if change is not Next.NOTHING:
        return _send(context, change, detail, kept.image, number)
    code_steps.settled(detail, "giving $LATEST back what it was")
    note = f"$LATEST is what it was before, by version {number}"
    tell(context, f"Code: {note}.")
    return Done(note)


def _tell_left(context: Context, detail: FunctionDetail) -> str:
    runs, number = short(detail.fact.latest.digest), context.shared["kept"]
    if context.shared.get("lent"):
        context.result[OVERTAKEN] = ["update"]
    note = f"$LATEST was left alone: somebody changed it meanwhile, and it runs {runs}; version {number} is what it was"
    tell(context, f"Code: {note}.")
    context.log.warning(f"{note[:1].upper()}{note[1:]}.")
    return note


def _put_back(context: Context) -> str | Wait:
    """Undo `_lend`, also where the run died in the middle of it."""
    try:
        outcome = _give_back(context)
    except DrydockError as error:
        kept = context.shared["kept"]
        tell(context, f"Code: $LATEST could not be given back what it was, which version {kept} has. {error}")
        if error.problem.code in {*PASSING, *AGAIN}:
            context.log.warning(f"{error} Trying again in {UNDO_PAUSE:g} s.")
            return Wait(UNDO_PAUSE, str(error))
        raise
    if isinstance(outcome, Wait):
        return outcome
    refresh(context)
    return outcome.note


LEND = (
    StepSpec("keep", "Publish $LATEST for safekeeping", patient(_keep), limit=SHORT),
    StepSpec("update", "Lend $LATEST to the patch", patient(_lend), undo=_put_back, limit=LONG, undo_limit=LONG),
    StepSpec("publish", "Publish a version", patient(_publish), limit=LONG),
)
# It settles: a run that is cancelled or fails before has its aliases put back, and $LATEST with them.
GIVE_BACK = StepSpec("restore", "Give $LATEST back what it was", patient(_give_back), limit=LONG, settles=True)
