"""Sync: bring the snapshot up to date with AWS, every account and region in parallel, each for itself.

A scope that fails leaves the others synced, keeps its old rows with their age, and says in `Scope.problem` what is
missing. Nothing is marked gone by a listing that failed or stopped half-way.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from threading import Event
from typing import Any

from django.db import connections
from django.db.models import Q

from functions_app import clock
from functions_app.aws import session
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.refs import repository_of
from functions_app.domain.runs import ACTIVE, SYNC_LOCK, Done, Kind, Log, Outcome
from functions_app.domain.text import storable
from functions_app.models import Account, Function, Image, Repository, Run, Scope
from functions_app.services.bases import daily_counts
from functions_app.services.bases.repository_releases import find_releases
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine import runs
from functions_app.services.engine.steps import TELL_EVERY, Cancelled, Context, StepSpec
from functions_app.services.images.scans import read_scans
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.reading_progress import ReadingProgress
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync import single_repositories
from functions_app.services.sync.functions import read_functions, read_one
from functions_app.services.sync.images import read_images, read_repository
from functions_app.services.sync.version_images import link_versions

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
ScopeName = tuple[int, str]  # account's key, region


@dataclass(frozen=True)
class Result:
    """What a sync did: scopes read and failed, and the images whose base must be judged anew; `missed`: of how many
    functions or repositories which part could not be read.
    """

    scopes: int
    failed: int
    images: frozenset[int]
    missed: Mapping[str, int] = field(default_factory=dict)


def submit(actor: Actor, scopes: Iterable[ScopeName] | None = None, *, full: bool | None = None) -> Run:
    """Start a sync of these scopes (None: all). `full` (as a person's is): every state and alias. Raises BUSY, naming
    the sync that is under way: there is one at a time.
    """
    named = None if scopes is None else sorted(list(scope) for scope in scopes)
    plan = {"scopes": named, "full": not actor.is_schedule if full is None else full}
    title = "Sync all accounts" if named is None else f"Sync {len(named)} of the accounts' regions"
    return runs.submit(Kind.SYNC, title=title, plan=plan, actor=actor, lock=SYNC_LOCK)


def submit_or_join(actor: Actor) -> tuple[Run, bool]:
    """A full sync of everything and True, or the sync that is under way and False. Raises DrydockError."""
    accounts.ensure_first()
    try:
        return submit(actor), True
    except DrydockError as error:
        running = Run.objects.filter(lock=SYNC_LOCK, status__in=ACTIVE).first()
        if error.problem.code is not Code.BUSY or running is None:
            raise
        return running, False


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
    failed = sum(bool(read.problems) for read in reads)
    missed = sum((read.missed for read in reads), Counter[str]())
    return Result(len(reads), failed, frozenset().union(*(read.images for read in reads)), missed)


def _read_scope(row: Scope, log: Log, full: bool, stopped: Callable[[], bool], counted: ReadingProgress) -> ScopeRead:
    scope = _opened(row.account, row.region, full, stopped)
    scope.progress = counted
    Scope.objects.filter(pk=row.pk).update(attempted_at=scope.now)
    if not _part(scope, _check_identity):
        return _ended(row, scope, log)
    # Functions are listed first: whatever they run was in ECR then, so an image that ECR does not list afterwards is
    # gone. What only single calls tell of them is read while ECR is.
    stored = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="images") as beside:
        images = beside.submit(_read_images_after, stored, scope)
        try:
            _part(scope, partial(read_functions, stored=stored))
        finally:
            stored.set()
        images.result()
    if stopped():
        return scope
    link_versions(scope)
    read_scans(scope)
    return _ended(row, scope, log)


def _read_images_after(stored: Event, scope: ScopeRead) -> bool:
    stored.wait()
    try:
        return _part(scope, read_images)
    finally:
        connections.close_all()


def _ended(row: Scope, scope: ScopeRead, log: Log) -> ScopeRead:
    """Keep with the scope's row, and tell, how the reading went."""
    for note in scope.notes:
        log.warning(f"{scope.name}: {note.message} {note.next_step}".strip())
    if scope.problems:
        Scope.objects.filter(pk=row.pk).update(problem=_as_one(scope.problems).as_json())
        for problem in scope.problems:
            log.warning(f"{scope.name}: {problem.message} {problem.next_step}".strip())
        return scope
    Scope.objects.filter(pk=row.pk).update(synced_at=clock.now(), problem=None)
    told = [(count, one if count == 1 else name) for name, one in ONE.items() if (count := scope.counts.get(name))]
    log.info(f"{scope.name}: {', '.join(f'{count} {name}' for count, name in told)}")
    return scope


def _check_identity(scope: ScopeRead) -> None:
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


def _opened(account: Account, region: str, full: bool, stopped: Callable[[], bool]) -> ScopeRead:
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


def judge(images: Iterable[int]) -> int:
    """Judge the bases of these images and of those never judged; the summaries are left to the next step.

    Never judged are also those of an older Drydock that kept a release without its stream and lineage.
    """
    without = Q(base_evidence=[]) | Q(base_release__isnull=False, base_stream=None)
    unjudged = Image.objects.filter(without).values_list("pk", flat=True)
    return judge_images(sorted({*images, *unjudged}), refresh=False)


def refresh_function(function: Function, run: Run | None = None) -> Function:
    """Read one function with its versions and aliases now and bring its row up to date; `run` is who moved aliases.

    Raises DrydockError; NOT_FOUND where the function is gone, which its row then says.
    """
    scope = _opened(function.account, function.region, True, lambda: False)
    read_one(function, scope, run)
    link_versions(scope, function_id=function.pk)
    _read_pushed_since(function.pk, scope)
    refresh_summaries([function.pk])
    return Function.objects.get(pk=function.pk)


def _read_pushed_since(function_id: int, scope: ScopeRead) -> None:
    """What $LATEST runs may have been pushed after the last sync: then its repository is read."""
    row = Function.objects.get(pk=function_id)
    if row.versions.filter(ordinal=0, image__isnull=False).exists():
        return
    own = Repository.objects.filter(account=row.account, region=row.region, gone_at=None)
    repository = own.filter(uri=repository_of(row.image_uri)).first()
    if repository is None:
        return
    try:
        read_repository(scope, repository)
    except DrydockError as error:
        scope.fail(error)  # ECR may be closed to us: the function's own facts are stored all the same
        return
    link_versions(scope, function_id=function_id)
    judge_images(sorted(scope.images), refresh=False)


def _read_scopes(context: Context) -> Outcome:
    scopes = wanted_scopes(context.plan.get("scopes"))
    result = read_scopes(
        scopes,
        context.log,
        full=bool(context.plan.get("full")),
        stopped=context.cancel_requested,
        progress=context.progress,
    )
    context.shared["images"] = sorted({*context.shared.get("images", ()), *result.images})
    if context.cancel_requested():
        raise Cancelled("Stopped while reading: what was read by then is kept, nothing was marked as gone.")
    whole = result.scopes - result.failed
    context.result["scopes"] = {"read": whole, "failed": result.failed}
    context.result["missed"] = dict(result.missed)
    told = [f"{whole} accounts and regions read", *([f"{result.failed} with problems"] if result.failed else [])]
    told += [f"{what} of {count} not readable" for what, count in result.missed.items()]
    return Done(", ".join(told))


def _read_repositories(context: Context) -> Outcome:
    asked = context.plan["repositories"]
    reads = single_repositories.read_asked(asked, context.log, _check_identity, context.cancel_requested)
    found = frozenset[int]().union(*(read.images for read in reads))
    context.shared["images"] = sorted({*context.shared.get("images", ()), *found})
    if context.cancel_requested():
        raise Cancelled("Stopped while reading: what was read by then is kept; the next sync reads the rest.")
    failed = sum(bool(read.problems) for read in reads)
    context.result["scopes"] = {"read": len(reads) - failed, "failed": failed}
    return Done(f"repositories asked for: {len(asked)}" + (f"; regions with problems: {failed}" if failed else ""))


def _judge_step(context: Context) -> Outcome:
    now = context.now
    # Whoever died read images of which nobody else knows that they were read; a new day may change any verdict.
    found = find_releases(now)  # what stands on them may be any image
    if found or context.lease.taken_over or daily_counts.begins_a_day(now):
        changed = judge_images(None, now=now, refresh=False)
        context.shared["judged_on"] = now.date().isoformat()
        return Done(f"{changed} images have another verdict")
    return Done(f"{judge(context.shared.get('images', ()))} images have another verdict")


def _summarise_step(context: Context) -> Outcome:
    now = context.now
    changed = refresh_summaries(now=now)
    context.result["functions_changed"] = changed
    judged_on = context.shared.get("judged_on")
    daily_counts.count_day(now, judged_on=date.fromisoformat(judged_on) if judged_on else None)
    _require_one(context)
    return Done(f"{changed} functions have another summary")


def _require_one(context: Context) -> None:
    """Raise what went wrong where no account and region at all could be read completely."""
    read = context.result["scopes"]
    if read["read"] or not read["failed"]:
        return
    named = wanted_scopes(context.plan.get("scopes"))
    row = Scope.objects.filter(pk__in=[scope.pk for scope in named], problem__isnull=False).first()
    if row is None or row.problem is None:
        return
    told = Problem.from_json(row.problem)
    raise DrydockError(
        told.code,
        f"No account and region could be read completely. {told.message}",
        next_step=told.next_step,
        aws_code=told.aws_code,
        request_id=told.request_id,
        retryable=told.retryable,
    )


def steps(plan: dict[str, Any]) -> tuple[StepSpec, ...]:
    """The steps of a sync: of accounts and regions, or of the repositories that events asked for."""
    return (READ_REPOSITORIES if "repositories" in plan else READ_SCOPES, *AFTERWARDS)


READ_SCOPES = StepSpec("read", "Read accounts and regions", _read_scopes)
READ_REPOSITORIES = StepSpec("read", "Read the repositories asked for", _read_repositories)
AFTERWARDS = (
    StepSpec("judge", "Judge the bases of new images", _judge_step),
    StepSpec("summarise", "Bring the lists up to date", _summarise_step),
)
