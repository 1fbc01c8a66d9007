"""The steps that deployments and rollbacks share: point an alias, read it back, put it back, refresh the snapshot.

Every step reads AWS before it writes, so that one that is run again after a crash does no harm.
"""

import functools
from collections.abc import Callable

from functions_app.aws import lambdas
from functions_app.aws.session import Target
from functions_app.domain.deployments import AliasPlan, AliasState, Place, changed_message, short
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, Skipped, Wait
from functions_app.models import Account, Function
from functions_app.services import accounts, sync
from functions_app.services.steps import Context

PASSING = frozenset({Code.UNREACHABLE, Code.THROTTLED, Code.UNKNOWN_OUTCOME})
LOOKS = 5  # at an alias that was just pointed: Lambda's answers may lag behind its own writes for a moment
ALIAS = "Alias "  # begins the sentence about the alias
Action = Callable[[Context], Outcome]


def target_of(place: Place) -> Target:
    """The way into the account of a plan. Raises NOT_FOUND where it is no longer one of ours."""
    account = Account.objects.filter(account_id=place.account_id).first()
    if account is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"Account {place.account_id} is no longer among Drydock's accounts.",
            next_step="Add it in Settings, then plan again.",
        )
    return accounts.target(account, place.region)


def patient(action: Action) -> Action:
    """Look again where AWS gave no answer: the step reads before it writes, so it finds out what happened.

    Its StepSpec has a limit, which ends the waiting. Any other failure refreshes the snapshot, then goes on.
    """

    @functools.wraps(action)
    def step(context: Context) -> Outcome:
        try:
            return action(context)
        except DrydockError as error:
            if error.problem.code in PASSING:
                context.log.warning(f"{error} Looking again in 2 s.")
                return Wait(2, f"no clear answer from AWS: {error}")
            refresh(context)
            raise

    return step


def read_alias(place: Place, alias: str) -> AliasState:
    """Where the alias points now."""
    return AliasState.of(lambdas.get_alias(target_of(place), place.name, alias))


def check_alias(plan: AliasPlan) -> None:
    """Raise CHANGED unless the alias is as it was when the plan was made."""
    now = read_alias(plan.place, plan.alias)
    if now != plan.before:
        raise changed_message(f"alias {plan.alias} (it pointed to {plan.before}, and now to {now})")


def point(context: Context, plan: AliasPlan, version: str) -> Outcome:
    """Point the alias to the version alone, guarded by the revision it had in the plan."""
    place, target = plan.place, target_of(plan.place)
    now = read_alias(place, plan.alias)
    if now.routes_like(AliasState(version)):
        tell_alias(context, f"{plan.alias} points to version {version}.")
        return Done(f"{plan.alias} points to version {version}")
    if now != plan.before:
        raise changed_message(f"alias {plan.alias} (it pointed to {plan.before}, and now to {now})")
    # Told first: should this worker die or Lambda not answer, the page must not claim that nothing moved.
    tell_alias(context, f"{plan.alias} may or may not point to version {version} by now.")
    context.save()
    try:
        if now.exists:
            lambdas.update_alias(target, place.name, plan.alias, version, "", 0.0, now.revision_id)
        else:
            lambdas.create_alias(target, place.name, plan.alias, version)
    except DrydockError as error:
        if error.problem.code not in PASSING:
            tell_alias(context, f"{plan.alias} was not moved.")
        raise
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
        return Done(f"{plan.alias} runs {short(found)}, as planned")
    context.memory["looks"] = context.memory.get("looks", 0) + 1
    told = f"{plan.alias} points to {now}" + (f" with digest {short(found)}" if found else "")
    if context.memory["looks"] < LOOKS:
        return Wait(1, f"{told}; looking again")
    raise DrydockError(
        Code.FAILED,
        f"Read back, {told}; planned was version {version} with digest {short(plan.to_digest)}.",
        next_step="See below whether the alias was put back, and who else changes this function.",
    )


def put_back(context: Context, plan: AliasPlan, version: str) -> str:
    """Undo `point`: the alias goes where it was, unless somebody has moved it since. Says what was done."""
    place, target = plan.place, target_of(plan.place)
    now = read_alias(place, plan.alias)
    if now.routes_like(plan.before):
        note = f"alias {plan.alias} points to {plan.before}, as before"
    elif not now.routes_like(AliasState(version)):
        note = f"alias {plan.alias} was left alone: somebody pointed it to {now} meanwhile"
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
        note = f"alias {plan.alias} was put back to {before}"
    tell_alias(context, f"{note.removeprefix('alias ')}.")
    refresh(context)
    return note


def refresh(context: Context) -> Outcome:
    """Read the function into the snapshot. That this fails is told, and undoes nothing: the next sync makes it good."""
    function = Function.objects.filter(pk=context.plan["function_id"]).first()
    if function is None:
        return Skipped("the function is no longer in the snapshot")
    try:
        sync.refresh_function(function, context.run)
    except DrydockError as error:
        context.log.warning(f"The snapshot was not refreshed: {error} The next sync does it.")
        return Skipped(f"not refreshed: {error}")
    return Done("the pages show it")


def tell(context: Context, sentence: str) -> None:
    """Add to what the run's page says was really done, each sentence once; that about the alias stays last."""
    told: list[str] = context.result.get("told", [])
    if sentence not in told:
        said = [line for line in told if not line.startswith(ALIAS)]
        context.result["told"] = [*said, sentence, *told[len(said) :]]


def tell_alias(context: Context, words: str) -> None:
    """The one sentence about the alias, which replaces what was said of it before and stands last."""
    told: list[str] = context.result.get("told", [])
    context.result["told"] = [*(line for line in told if not line.startswith(ALIAS)), f"{ALIAS}{words}"]
