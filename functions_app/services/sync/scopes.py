"""Read accounts and regions from AWS, in parallel, each for itself.

A scope that fails leaves the others read, keeps its old rows with their age, and says in `Scope.problem` what is
missing. Nothing is marked gone by a listing that failed or stopped half-way.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Any

from django.db import connections, transaction

from functions_app import clock
from functions_app.aws import session
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import Log
from functions_app.domain.text import counted, storable
from functions_app.models import Account, Scope
from functions_app.services.engine.steps import TELL_EVERY
from functions_app.services.images.scans import read_scans
from functions_app.services.people import accounts
from functions_app.services.snapshot import fleet_revision
from functions_app.services.snapshot.reading_progress import ReadingProgress
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync.functions import read_functions
from functions_app.services.sync.images import read_images
from functions_app.services.sync.version_images import link_known, link_versions

SCOPES_AT_ONCE = 8
ONE = {
    "changed": "changed",
    "functions": "function",
    "versions": "version",
    "aliases": "alias",
    "details": "detail",
    "version details": "version detail",
    "repositories": "repository",
    "images": "image",
    "inspected": "inspected",
    "not readable": "not readable",
    "scans": "scan",
    "moved tags": "moved tag",
}  # in the order they are told; the words of ScopeRead.counts for one of them


@dataclass(frozen=True)
class Result:
    """What a sync did: scopes read and failed, and the images whose base must be judged anew; `missed`: of how many
    functions or repositories which part could not be read.
    """

    scopes: int
    failed: int
    images: frozenset[int]
    missed: Mapping[str, int] = field(default_factory=dict)


def wanted_scopes(named: Sequence[Sequence[Any]] | None = None) -> list[Scope]:
    """The scopes of all enabled accounts, or those named; the first account is made from the environment."""
    accounts.ensure_first()
    found = [scope for account in Account.objects.filter(enabled=True) for scope in accounts.ensure_scopes(account)]
    if named is None:
        return found
    names = {(int(account), str(region)) for account, region in named}
    return [scope for scope in found if (scope.account_id, scope.region) in names]


def read_scopes(
    scopes: Sequence[Scope],
    log: Log,
    *,
    full: bool,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int, str], None] = lambda done, total, unit: None,
) -> Result:
    """Read scopes in parallel. What a scope fails with is stored with it; anything unexpected is raised at the end.

    `progress` is told twice a second how many of the functions found are read, then of the images.
    """
    if not scopes:
        return Result(0, 0, frozenset())
    counted = ReadingProgress()

    def read(scope: Scope) -> ScopeRead:
        try:
            return _read_scope(scope, log, full, stopped, counted)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(min(len(scopes), SCOPES_AT_ONCE), thread_name_prefix="scope") as pool:
        reading = [pool.submit(read, scope) for scope in scopes]
        waiting: set[Future[ScopeRead]] = set(reading)
        while waiting:
            waiting = wait(waiting, timeout=TELL_EVERY).not_done
            if state := counted.state():
                progress(*state)
    reads = [future.result() for future in reading]
    link_known()
    failed = sum(bool(read.problems) for read in reads)
    missed = sum((read.missed for read in reads), Counter[str]())
    return Result(len(reads), failed, frozenset().union(*(read.images for read in reads)), missed)


def _read_scope(row: Scope, log: Log, full: bool, stopped: Callable[[], bool], counted: ReadingProgress) -> ScopeRead:
    scope = opened(row.account, row.region, full, stopped)
    scope.progress = counted
    Scope.objects.filter(pk=row.pk).update(attempted_at=scope.now)
    if not _part(scope, check_identity):
        return _ended(row, scope, log)
    # Functions are listed first: whatever they run was in ECR then, so an image that ECR does not list afterwards is
    # gone. What only single calls tell of them is read while ECR is.
    listed = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="images") as beside:
        images = beside.submit(_read_images_after, listed, scope)
        try:
            _part(scope, partial(read_functions, listed=listed))
        finally:
            listed.set()
        images.result()
    if stopped():
        return scope
    link_versions(scope)
    read_scans(scope)
    return _ended(row, scope, log)


def _read_images_after(listed: Event, scope: ScopeRead) -> bool:
    listed.wait()
    try:
        return _part(scope, read_images)
    finally:
        connections.close_all()


def _ended(row: Scope, scope: ScopeRead, log: Log) -> ScopeRead:
    """Keep with the scope's row, and tell, how the reading went."""
    for note in scope.notes:
        log.warning(f"{scope.name}: {note.message} {note.next_step}".strip())
    problem = _as_one(scope.problems).as_json() if scope.problems else None
    read = {} if problem else {"synced_at": clock.now()}
    with transaction.atomic():
        Scope.objects.filter(pk=row.pk).update(problem=problem, **read)
        if (row.problem or {}).get("message") != (problem or {}).get("message"):
            fleet_revision.changed()  # every page says what could not be read, and counts it
    if problem:
        for each in scope.problems:
            log.warning(f"{scope.name}: {each.message} {each.next_step}".strip())
        return scope
    told = [counted(count, one, name) for name, one in ONE.items() if (count := scope.counts.get(name))]
    log.info(f"{scope.name}: {', '.join(told)}")
    return scope


def check_identity(scope: ScopeRead) -> None:
    """Raise DENIED where an account without a role would show what belongs to another: a role's ARN names its own."""
    if scope.target.role_arn:
        return
    caller = session.caller_account(scope.region)
    if caller != scope.account.account_id:
        raise DrydockError(
            Code.DENIED,
            f"The environment's credentials belong to account {caller}, not to {scope.account.account_id}.",
            next_step=f"Give account {scope.account.name} a role to assume in Settings, or start Drydock's worker with "
            f"credentials of {scope.account.account_id}.",
        )


def opened(account: Account, region: str, full: bool, stopped: Callable[[], bool] = lambda: False) -> ScopeRead:
    """What is read of an account and region from now on."""
    return ScopeRead(account, region, accounts.target(account, region), clock.now(), full, stopped)


def _part(scope: ScopeRead, read: Callable[[ScopeRead], None]) -> bool:
    """Read one part; whether all of it was read."""
    before = len(scope.problems)
    try:
        read(scope)
    except DrydockError as error:
        scope.fail(error)
    return len(scope.problems) == before and not scope.stopped()


def _as_one(problems: Sequence[Problem]) -> Problem:
    """One problem for the page: a denial first, since somebody must act on it, and the others after it."""
    ordered = sorted(problems, key=lambda problem: problem.code is not Code.DENIED)
    first, others = ordered[0], ordered[1:]
    message = " Also: ".join([first.message, *(problem.message for problem in others)])
    return replace(first, message=storable(message, 2000))
