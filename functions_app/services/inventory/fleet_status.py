"""How old the data is, what runs at this moment, and which accounts could not be read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Func, Subquery
from django.db.models.functions import Coalesce

from functions_app.domain.errors import Problem
from functions_app.domain.runs import ACTIVE
from functions_app.domain.tokens import Reach
from functions_app.models import Account, FleetRevision, FunctionCount, Run
from functions_app.services.snapshot.function_counts import What

LATE_AFTER = 3  # missed syncs until the age of the data turns amber

_RUNNING = Run.objects.filter(status__in=sorted(ACTIVE), parent=None).order_by()
# The counts stand ready: see services/snapshot/function_counts.
_BROKEN = FunctionCount.objects.filter(what=What.BROKEN).order_by().annotate(sum=Func("number", function="SUM"))
# Built once: every page asks, and building a query takes longer than its answer.
STATUS = (
    Account.objects.order_by("name", "scopes__region")
    .annotate(
        running=Subquery(_RUNNING.annotate(count=Func("pk", function="COUNT")).values("count")),
        broken=Coalesce(Subquery(_BROKEN.values("sum")), 0),
        revision=Coalesce(Subquery(FleetRevision.objects.filter(pk=1).values("revision")), 0),
    )
    .values_list(
        "pk",
        "name",
        "account_id",
        "colour",
        "enabled",
        "scopes__region",
        "scopes__attempted_at",
        "scopes__synced_at",
        "scopes__problem",
        "running",
        "broken",
        "revision",
    )
)


@dataclass(frozen=True)
class ScopeStatus:
    """One account in one region: when it was read last, and what went wrong since."""

    account: str
    colour: str
    region: str
    attempted_at: datetime | None
    synced_at: datetime | None
    problem: Problem | None


@dataclass(frozen=True)
class AccountFact:
    """An account as pages name it."""

    pk: int
    name: str
    account_id: str
    colour: str


@dataclass(frozen=True)
class FleetStatus:
    """The age of the oldest part of the snapshot, and what people should know about it."""

    accounts: tuple[AccountFact, ...]
    scopes: tuple[ScopeStatus, ...]
    running: int
    revision: int  # of the fleet: models.FleetRevision
    synced_at: datetime | None
    late: bool
    broken: int = 0  # functions, as counted last

    def reached(self, reach: Reach) -> tuple[AccountFact, ...]:
        """The accounts within a reach: of others even the names are not told."""
        return tuple(fact for fact in self.accounts if reach.covers_account(fact.account_id))

    @classmethod
    def empty(cls) -> "FleetStatus":
        """What stands around a page for nobody."""
        return cls((), (), 0, 0, None, False)

    @property
    def problems(self) -> tuple[ScopeStatus, ...]:
        """The scopes whose last sync failed."""
        return tuple(scope for scope in self.scopes if scope.problem)

    @property
    def failures(self) -> tuple[tuple[ScopeStatus, ...], ...]:
        """The same, the regions of an account that failed with the same words together."""
        found: dict[tuple[str, str], list[ScopeStatus]] = {}
        for scope in self.scopes:
            if scope.problem:
                found.setdefault((scope.account, scope.problem.message), []).append(scope)
        return tuple(map(tuple, found.values()))

    @property
    def age_means(self) -> str:
        """What the age of the data tells, or why it is no good sign."""
        if self.problems:
            return f"{len(self.problems)} of {len(self.scopes)} accounts and regions could not be read"
        if self.late:
            return "The schedule has missed several syncs: is the worker running?"
        return "The oldest part of what is shown"


def fleet_status(now: datetime) -> FleetStatus:
    """Read accounts, scopes, how many runs are active and functions broken, and the fleet's revision: one query.

    A page that follows the fleet reads this before anything else: then its revision is never newer than its rows.
    """
    found = list(STATUS.all())
    accounts = tuple(dict.fromkeys(AccountFact(*row[:4]) for row in found))
    scopes = tuple(
        ScopeStatus(row[1], row[3], row[5], row[6], row[7], Problem.from_json(row[8]) if row[8] else None)
        for row in found
        if row[4] and row[5]
    )
    synced = [scope.synced_at for scope in scopes if scope.synced_at]
    oldest = min(synced) if synced else None
    late = oldest is not None and now - oldest > LATE_AFTER * timedelta(seconds=settings.ENV.sync_every)
    running, broken, revision = found[0][-3:] if found else (0, 0, 0)
    return FleetStatus(accounts, scopes, running, revision, oldest, late, broken)
