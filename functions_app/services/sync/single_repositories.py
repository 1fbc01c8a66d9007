"""Read single repositories soon after an event told of them, between two syncs.

What is asked for stands in `Repository.asked_at`: many pushes of a build make one reading, and none is lost while
another reads. Any sync reads these repositories as well.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Log
from functions_app.models import Account, Repository, Run
from functions_app.services.engine import runs
from functions_app.services.people import accounts
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync.images import read_repository
from functions_app.services.sync.version_images import link_known, link_versions

LOCK = "repositories"
MOST = 200  # repositories of one run


def ask(account_id: str, region: str, name: str, now: datetime) -> bool:
    """Have this repository read soon; False where Drydock does not know it (a sync will find a new one)."""
    known = Repository.objects.filter(account__account_id=account_id, account__enabled=True, gone_at=None)
    return bool(known.filter(region=region, name=name).update(asked_at=now))


def submit(row: Repository, actor: Actor) -> Run:
    """Start the reading of one. Raises BUSY where others are being read: it is then read after them; PREFLIGHT."""
    if row.gone_at or not row.account.enabled:
        raise DrydockError(
            Code.PREFLIGHT,
            f"{row.name} is gone from ECR." if row.gone_at else f"The account {row.account.name} is switched off.",
            next_step="Sync everything, if that is not so any more.",
        )
    Repository.objects.filter(pk=row.pk).update(asked_at=clock.now())
    plan = {"repositories": [row.pk], "scopes": [[row.account_id, row.region]], "full": False}
    return runs.submit(Kind.SYNC, title=f"Read {row.name}", plan=plan, actor=actor, account=row.account, lock=LOCK)


def submit_asked() -> Run | None:
    """Start the reading of what was asked for; None where nothing was. Raises BUSY when one is under way."""
    asked = Repository.objects.filter(asked_at__isnull=False, gone_at=None, account__enabled=True)
    rows = list(asked.order_by("asked_at", "pk").values_list("pk", "name", "account_id", "region")[:MOST])
    if not rows:
        return None
    title = f"Read {rows[0][1]} after an event" if len(rows) == 1 else f"Read {len(rows)} repositories after events"
    return _start(rows, title, SCHEDULE)


def submit_known(keys: Collection[int], actor: Actor) -> Run:
    """Start the reading of those of them that are there still. Raises BUSY, PREFLIGHT where none is."""
    known = Repository.objects.filter(pk__in=keys, gone_at=None, account__enabled=True)
    rows = list(known.order_by("name", "pk").values_list("pk", "name", "account_id", "region")[:MOST])
    if not rows:
        raise DrydockError(
            Code.PREFLIGHT, "None of these repositories is there any more.", next_step="Sync everything."
        )
    return _start(rows, f"Read {rows[0][1]}" if len(rows) == 1 else f"Read {len(rows)} repositories", actor)


def _start(rows: Sequence[tuple[int, str, int, str]], title: str, actor: Actor) -> Run:
    """By key, name, account and region."""
    scopes = sorted({(account, region) for _, _, account, region in rows})
    plan = {"repositories": [pk for pk, *_ in rows], "scopes": [list(scope) for scope in scopes], "full": False}
    return runs.submit(Kind.SYNC, title=title, plan=plan, actor=actor, lock=LOCK)


def read_asked(
    keys: Collection[int], log: Log, check: Callable[[ScopeRead], None], stopped: Callable[[], bool]
) -> list[ScopeRead]:
    """Read these repositories, by account and region; `check` raises where an account must not be read.

    What cannot be read is told in the log; the next sync tries again.
    """
    groups: dict[tuple[int, str], list[Repository]] = defaultdict(list)
    for row in Repository.objects.filter(pk__in=keys, gone_at=None).order_by("name"):
        groups[row.account_id, row.region].append(row)
    owners = Account.objects.in_bulk({account for account, _ in groups})
    reads = []
    for (account, region), rows in sorted(groups.items()):
        scope = _opened(owners[account], region, stopped)
        reads.append(scope)
        # Taken back before they are read: an event that comes meanwhile asks again; what fails is not asked for ever.
        Repository.objects.filter(pk__in=[row.pk for row in rows]).update(asked_at=None)
        try:
            check(scope)
            for row in rows:
                if not stopped():
                    _read(scope, row, log)
            link_versions(scope)
        except DrydockError as error:
            scope.fail(error)
        for problem in scope.problems:
            log.warning(f"{scope.name}: {problem.message} {problem.next_step}".strip())
    link_known()
    return reads


def _opened(account: Account, region: str, stopped: Callable[[], bool]) -> ScopeRead:
    return ScopeRead(account, region, accounts.target(account, region), clock.now(), False, stopped)


def _read(scope: ScopeRead, row: Repository, log: Log) -> None:
    try:
        read_repository(scope, row)
    except DrydockError as error:
        if error.problem.code is not Code.NOT_FOUND:
            raise
        log.info(f"{scope.name}: {row.name} is gone; the next sync takes it out of the lists")
        return
    log.info(f"{scope.name}: {row.name} read")
