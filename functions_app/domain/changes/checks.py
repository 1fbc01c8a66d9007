"""The checks before a change: what forbids it, what to mind, and what is said where somebody else was quicker. Pure."""

import re
from collections.abc import Iterable, Sequence

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail, FunctionPlace
from functions_app.domain.images.lambda_rules import Check

ECR_HOST = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


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


def blocked(checks: Iterable[Check]) -> DrydockError:
    """The error of a change that these checks forbid: code PREFLIGHT."""
    return DrydockError(
        Code.PREFLIGHT, reasons(checks), next_step="Nothing was changed. Remove the cause, then plan again."
    )


def refuse_blocked(checks: Sequence[Check]) -> None:
    """Raise PREFLIGHT naming every check that forbids the change."""
    if forbidding(checks):
        raise blocked(checks)


def place_check(host: str, place: FunctionPlace) -> Check:
    """Lambda pulls from ECR in its own region only."""
    match = ECR_HOST.fullmatch(host)
    if match is None:
        return Check("Region", False, f"{host} is not an ECR registry; Lambda pulls from ECR alone.")
    if match["region"] != place.region:
        return Check("Region", False, f"The image is in {match['region']}, the function in {place.region}.")
    return Check("Region", True, f"Image and function are in {place.region}.")


def state_checks(detail: FunctionDetail) -> tuple[Check, ...]:
    """Whether Lambda would take a change now."""
    checks = []
    if detail.state == "Pending":
        checks.append(Check("State", False, "The function is Pending: Lambda is still preparing it. Try again soon."))
    elif detail.last_update_status == "InProgress":
        checks.append(Check("State", False, "An update of the function is InProgress. Wait until it has ended."))
    elif detail.state == "Failed":
        reason = detail.state_reason_code or detail.state_reason or "no reason given"
        checks.append(Check("State", None, f"The function is Failed ({reason}); a new image can mend it."))
    elif detail.state == "Inactive":
        checks.append(Check("State", None, "The function is Inactive; the update wakes it, which takes longer."))
    else:
        checks.append(Check("State", True, f"The function is {detail.state or 'Active'}, no update in progress."))
    if detail.last_update_status == "Failed":
        reason = detail.last_update_reason or detail.last_update_reason_code
        checks.append(Check("Last update", None, f"The last update failed: {reason}"))
    return tuple(checks)


def ownership_check(managed_by: str, owner: str) -> Check:
    """A function that a tool manages drifts when it is changed here."""
    if not managed_by:
        return Check("Ownership", True, f"No tool manages it by its tags{f'; owner {owner}' if owner else ''}.")
    return Check("Ownership", None, f"{managed_by} manages this function: its next run may undo this change.")


def alias_check(alias: str, before: AliasState) -> Check:
    """What happens to the alias, and to weights left on it."""
    if not before.exists:
        return Check("Alias", True, f"{alias} does not exist yet; it is made.")
    if before.second_version:
        return Check("Alias", None, f"{alias} is split: {before}. All of its traffic goes to the new version.")
    return Check("Alias", True, f"{alias} points to {before}.")


def changed_message(what: str) -> DrydockError:
    """Somebody else was quicker: code CHANGED."""
    return DrydockError(
        Code.CHANGED,
        f"Someone changed {what} after this plan was made.",
        next_step="Reload and review, then plan again.",
    )
