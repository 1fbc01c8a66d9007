"""The checks before a change: what forbids it, what to mind, and what is said where somebody else was quicker. Pure."""

from collections.abc import Collection, Iterable, Sequence

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.functions import FunctionDetail, FunctionPlace
from functions_app.domain.fleet.lambda_states import state_meaning, update_meaning
from functions_app.domain.images.lambda_rules import Check

_PASSING = {"State", "Last update", "Other changes"}


def check_confirmation(expected: str, typed: str) -> None:
    """Raise INVALID unless the name that had to be typed was."""
    if expected and typed.strip() != expected:
        given = f"you typed {typed.strip()!r}" if typed.strip() else "nothing was typed"
        raise DrydockError(
            Code.INVALID,
            f"To confirm, type the name of the alias, {expected!r}: {given}. Nothing was changed.",
            next_step="Type it exactly and confirm again; the plan is still valid.",
        )


def forbidding(checks: Iterable[Check]) -> list[Check]:
    """The checks that forbid the change."""
    return [check for check in checks if check.ok is False]


def reasons(checks: Iterable[Check]) -> str:
    """Why the change is forbidden, one sentence per check that forbids it; '' where none does."""
    return " ".join(check.text for check in forbidding(checks))


def may_pass(checks: Iterable[Check]) -> bool:
    """Whether all that forbids the change may end by itself: Lambda is at the function, or another run is."""
    return all(check.name in _PASSING for check in forbidding(checks))


def blocked(checks: Iterable[Check]) -> DrydockError:
    """The error of a change that these checks forbid: code PREFLIGHT."""
    return DrydockError(
        Code.PREFLIGHT,
        reasons(checks),
        next_step="Nothing was changed. Remove the cause, then plan again.",
        retryable=may_pass(checks),
    )


def refuse_blocked(checks: Sequence[Check]) -> None:
    """Raise PREFLIGHT naming every check that forbids the change."""
    if forbidding(checks):
        raise blocked(checks)


def place_check(host: str, place: FunctionPlace) -> Check:
    """Lambda pulls from ECR in its own region only."""
    known = ecr_host(host)
    if known is None:
        return Check("Region", False, f"{host} is not an ECR registry; Lambda pulls from ECR alone.")
    if known.region != place.region:
        return Check("Region", False, f"The image is in {known.region}, the function in {place.region}.")
    return Check("Region", True, f"Image and function are in {place.region}.")


def state_checks(detail: FunctionDetail, *, uploads: bool = True) -> tuple[Check, ...]:
    """Whether Lambda would take a change of $LATEST now; `uploads`: it is given another image than it has."""
    state = state_meaning(detail.state, managed_latest=detail.is_managed_latest)
    update = update_meaning(detail.last_update_status, detail.state)
    if state.change and update.change is False:
        return (Check("State", False, f"The function's last update is {detail.last_update_status}: {update.says}."),)
    if detail.state == "Inactive" and not uploads:
        why = "it has this image already, so that no update would wake it. Invoke it once, then plan again"
        return (Check("State", False, f"The function is Inactive: {why}."),)
    reason = f" ({detail.state_reason_code or detail.state_reason})" if detail.state == "Failed" else ""
    word = detail.state or "in no known state"
    checks = [Check("State", state.change, f"The function is {word}{reason}: {state.says}.")]
    if update.change is not True:
        why = detail.last_update_reason or detail.last_update_reason_code
        says = f"{update.says}{f': {why}' if why else ''}."
        checks.append(Check("Last update", update.change, says[:1].upper() + says[1:]))
    return tuple(checks)


def version_check(detail: FunctionDetail, version: str) -> Check:
    """Whether a version answers calls, so that an alias may be pointed at it."""
    meaning = state_meaning(detail.state)
    reason = detail.state_reason_code or detail.state_reason
    told = f"{detail.state or 'in no known state'}{f' ({reason})' if reason else ''}"
    return Check("Version", meaning.serve, f"Version {version} is {told}: {meaning.says}.")


def ownership_check(managed_by: str, owner: str, unread: Problem | None = None) -> Check:
    """A function that a tool manages drifts when it is changed here; `unread`: why AWS could not tell its tags now."""
    if unread:
        known = f"By what was read before, {managed_by or 'no tool'} manages it{f'; owner {owner}' if owner else ''}."
        why = f"Its tags can't be read, so whether a tool manages it can't be known: {unread.message}"
        return Check("Ownership", None, f"{why.rstrip('.')}. {known} {unread.next_step}".strip())
    if not managed_by:
        return Check("Ownership", True, f"No tool manages it by its tags{f'; owner {owner}' if owner else ''}.")
    return Check("Ownership", None, f"{managed_by} manages this function: its next run may undo this change.")


def check_ticks(asked: Iterable[Sequence[str]], given: Collection[str]) -> None:
    """Raise INVALID unless all that must be ticked was; `asked` are pairs of a key and its sentence."""
    missing = [text for key, text in asked if key not in given]
    if missing:
        raise DrydockError(
            Code.INVALID,
            f"To confirm, tick: {' '.join(missing)} Nothing was changed.",
            next_step="Look whether it is meant, tick it and confirm again; the plan is still valid.",
        )


def alias_check(alias: str, before: AliasState) -> Check:
    """What happens to the alias, and to weights left on it."""
    if not before.exists:
        return Check("Alias", True, f"{alias} does not exist yet; it is made.")
    if before.second_version:
        return Check("Alias", None, f"{alias} is split: {before}. That ends: one version gets all of its traffic.")
    return Check("Alias", True, f"{alias} points to {before}.")


def changed_message(what: str, now: str = "") -> DrydockError:
    """Somebody else was quicker: code CHANGED; `now` says what there is now."""
    return DrydockError(
        Code.CHANGED,
        f"Someone changed {what} after this plan was made{f': {now}' if now else ''}.",
        next_step="Reload and review, then plan again.",
    )
