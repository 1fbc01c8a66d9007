"""Read some functions anew, between two syncs: what somebody chose."""

from collections.abc import Callable, Collection, Sequence

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.selections import READ_AT_ONCE, too_many
from functions_app.domain.runs import Kind, Log
from functions_app.models import Function, Run
from functions_app.services.engine import runs
from functions_app.services.people.actor import Actor
from functions_app.services.sync.refresh import refresh_function
from functions_app.services.sync.scopes import check_identity, opened

LOCK = "functions"  # one such reading at a time


def submit(functions: Sequence[int], actor: Actor) -> Run:
    """Start the reading of these. Raises INVALID for too many, PREFLIGHT where none is there, BUSY."""
    if why := too_many(len(functions), READ_AT_ONCE, "A reading"):
        raise DrydockError(Code.INVALID, why, next_step="Select fewer, or sync everything.")
    rows = Function.objects.filter(pk__in=functions, gone_at=None, account__enabled=True)
    known = list(rows.order_by("name", "pk").values_list("pk", "name"))
    if not known:
        raise DrydockError(
            Code.PREFLIGHT, "None of these functions is there any more.", next_step="Select others, or sync everything."
        )
    title = f"Read {known[0][1]}" if len(known) == 1 else f"Read {len(known)} functions"
    return runs.submit(Kind.SYNC, title=title, plan={"functions": [pk for pk, _ in known]}, actor=actor, lock=LOCK)


def read_chosen(
    keys: Collection[int], log: Log, stopped: Callable[[], bool], progress: Callable[[int, int, str], None]
) -> tuple[int, int]:
    """Read each with its versions and aliases; how many were read, and how many could not be, each said in the log."""
    read = failed = 0
    wanted = Function.objects.filter(pk__in=keys, gone_at=None, account__enabled=True).select_related("account")
    refused: dict[tuple[int, str], DrydockError | None] = {}
    for at, function in enumerate(wanted.order_by("name", "pk")):
        if stopped():
            break
        progress(at, len(keys), "functions")
        try:
            _check_place(function, refused)
            refresh_function(function)
            read += 1
        except DrydockError as error:
            failed += error.problem.code is not Code.NOT_FOUND  # that it is gone is what was read
            log.warning(f"{function.name}: {error.problem.message} {error.problem.next_step}".strip())
    return read, failed


def _check_place(function: Function, refused: dict[tuple[int, str], DrydockError | None]) -> None:
    """Raise where an account must not be read: what another account does not have would be called gone. Asked once."""
    place = (function.account_id, function.region)
    if place not in refused:
        refused[place] = None
        try:
            check_identity(opened(function.account, function.region, True))
        except DrydockError as error:
            refused[place] = error
    if why := refused[place]:
        raise why
