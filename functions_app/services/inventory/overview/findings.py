"""The overview: what needs attention first, how fresh the fleet is now, and how old what is shown may be.

Twelve queries at most beside the frame's, and six for what was not read (unread.py), however many functions there are:
every count comes from one pass over one index, and only the few functions that are named are read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db.models import BooleanField, Case, Count, DateField, F, Min, Q, QuerySet, Value, When, Window

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.states import RANK_UPDATE_FAILED
from functions_app.domain.runs import ACTIVE
from functions_app.models import Alias, BaseStream, Function, LifecycleForecast, Repository, Run
from functions_app.services.inventory.overview.burn_down import BurnDown, burn_down
from functions_app.services.snapshot.endangered_images import RiskRow, dangers

NAMED = 5  # functions named under each finding
ENDS_WITHIN = timedelta(days=90)
FORECAST_LATE_AFTER = timedelta(days=2)  # they are read daily
BROKEN = RANK_UPDATE_FAILED  # and everything worse


@dataclass(frozen=True)
class Named:
    """A function with the one line that says why it is named."""

    pk: int
    name: str
    account: int
    why: str
    problem_rank: int = 0
    drifted: bool = False
    state: str = ""
    overdue_on: date | None = None


@dataclass(frozen=True)
class Ending:
    """A base whose support ends or has ended, and how many functions run on it."""

    base: str
    on: date
    days_left: int  # negative: so many days ago
    functions: int


@dataclass(frozen=True)
class NoWayBack:
    """An alias that could not be rolled back: it lost so many earlier versions, or never had one."""

    function_id: int
    function: str
    account: int
    alias: str
    lost: int


@dataclass(frozen=True)
class Found:
    """Some of one kind: how many there are, and the worst few."""

    count: int
    named: tuple[Named, ...] = ()


@dataclass(frozen=True)
class Stuck:
    """Aliases without a rollback target: all, those that lost one, and the worst few."""

    count: int
    lost: int
    named: tuple[NoWayBack, ...]


@dataclass(frozen=True)
class Sources:
    """How old what is judged by may be: base streams and lifecycle forecasts."""

    streams: int
    streams_failing: int
    streams_polled_at: datetime | None
    forecasts: int
    forecasts_failing: int
    forecasts_read_at: datetime | None
    forecasts_late: bool = False  # the oldest has missed a day
    forecasts_due: bool = False  # there are repositories, and none was forecast yet


@dataclass(frozen=True)
class Unknown:
    """Functions whose base is unknown for the same reason."""

    reason: str
    functions: int


@dataclass(frozen=True)
class Overview:
    """Everything the page shows."""

    functions: int
    freshness: dict[str, int]
    broken: Found
    endangered: tuple[RiskRow, ...]  # versions that are live and would lose their image
    stuck: Stuck
    inactive: Found
    overdue: Found
    endings: tuple[Ending, ...]
    drifted: Found
    unknown: tuple[Unknown, ...]
    burn_down: BurnDown
    runs: tuple[Run, ...]
    sources: Sources


def overview(now: datetime, *, days: int = 30, account_id: int | None = None) -> Overview:
    """Read it all, of one account or of all."""
    today = now.date()
    there = Function.objects.filter(gone_at=None)
    if account_id is not None:
        there = there.filter(account=account_id)
    counts = _counts(there, today)
    named = _named(there, today) if counts.attention else []
    return Overview(
        functions=counts.functions,
        freshness={each.value: counts.freshness[each.value] for each in Freshness},
        broken=_found(counts.broken, named, lambda each: each.problem_rank >= BROKEN, _by_rank),
        endangered=dangers(account_id=account_id, live=True),
        stuck=_stuck(account_id),
        inactive=_found(counts.inactive, named, lambda each: each.state == "Inactive", attrgetter("name")),
        overdue=_found(
            counts.overdue,
            named,
            lambda each: each.overdue_on is not None and each.overdue_on <= today,
            attrgetter("overdue_on", "name"),
        ),
        endings=_endings(counts, today),
        drifted=_found(counts.drifted, named, attrgetter("drifted"), attrgetter("name")),
        unknown=_unknown(there) if counts.freshness[Freshness.UNKNOWN.value] else (),
        burn_down=burn_down(today, days, account_id),
        runs=tuple(
            Run.objects.filter(status__in=sorted(ACTIVE), parent=None)
            .defer("plan", "memory", "result")
            .order_by("-pk")[:NAMED]
        ),
        sources=_sources(now),
    )


@dataclass
class _Counts:
    """What one pass over the index adds up to."""

    functions: int
    freshness: Counter[str]
    ends: Counter[tuple[str, date]]
    broken: int = 0
    inactive: int = 0
    overdue: int = 0
    drifted: int = 0

    @property
    def attention(self) -> bool:
        return bool(self.broken or self.inactive or self.overdue or self.drifted)


def _counts(there: QuerySet[Function], today: date) -> _Counts:
    found = _Counts(0, Counter(), Counter())
    # Of days only those that are counted are told apart. Constants, not parameters: see fleet.function_list.
    late = Case(When(overdue_on__lte=today, then=Value(True)), default=Value(False), output_field=BooleanField())
    ends = Case(When(end_of_life_on__lte=today + ENDS_WITHIN, then=F("end_of_life_on")), output_field=DateField())
    groups = (
        there.annotate(late=late, ends=ends)
        .order_by()
        .values_list("freshness", "base_name", "state", "problem_rank", "drifted", "late", "ends")
    )
    for freshness, base, state, rank, drifted, overdue, end, count in groups.annotate(count=Count("pk")):
        found.functions += count
        found.freshness[freshness] += count
        found.broken += count if rank >= BROKEN else 0
        found.inactive += count if state == "Inactive" else 0
        found.drifted += count if drifted else 0
        found.overdue += count if overdue else 0
        if end:
            found.ends[base, end] += count
    return found


def _named(there: QuerySet[Function], today: date) -> list[Named]:
    """The worst few of each kind, all in one query: a row that more than one kind names comes once."""
    worst = (
        there.filter(problem_rank__gte=BROKEN).order_by("-problem_rank", "name", "pk"),
        there.filter(state="Inactive").order_by("name", "pk"),
        there.filter(overdue_on__lte=today).order_by("overdue_on", "name", "pk"),
        there.filter(drifted=True).order_by("name", "pk"),
    )
    wanted = Q()
    for few in worst:
        wanted |= Q(pk__in=few.values("pk")[:NAMED])
    fields = ("pk", "name", "account_id", "problem", "problem_rank", "drifted", "state", "overdue_on")
    return [Named(*row) for row in Function.objects.filter(wanted).order_by("name", "pk").values_list(*fields)]


def _by_rank(each: Named) -> Any:
    return -each.problem_rank, each.name


def _found(count: int, named: Sequence[Named], fits: Callable[[Named], bool], order: Callable[[Named], Any]) -> Found:
    return Found(count, tuple(sorted(filter(fits, named), key=order)[:NAMED]))


def _endings(counts: _Counts, today: date) -> tuple[Ending, ...]:
    """By base: the first end of what its functions run on."""
    found: dict[str, Ending] = {}
    for (base, on), functions in sorted(counts.ends.items(), key=lambda item: (item[0][1], item[0][0])):
        known = found.setdefault(base, Ending(base, on, (on - today).days, 0))
        found[base] = replace(known, functions=known.functions + functions)
    return tuple(found.values())


def _stuck(account_id: int | None) -> Stuck:
    """One query: the counts stand beside each of the few rows."""
    aliases = Alias.objects.filter(rollback_targets=0, function__gone_at=None)
    if account_id is not None:
        aliases = aliases.filter(function__account=account_id)
    rows = aliases.annotate(
        every=Window(Count("pk")), without=Window(Count("pk", filter=Q(rollback_lost__gt=0)))
    ).order_by("-rollback_lost", "function__name", "name", "pk")
    found = list(
        rows.values_list(
            "function_id", "function__name", "function__account_id", "name", "rollback_lost", "every", "without"
        )[:NAMED]
    )
    if not found:
        return Stuck(0, 0, ())
    return Stuck(found[0][5], found[0][6], tuple(NoWayBack(*row[:5]) for row in found))


def _unknown(there: QuerySet[Function]) -> tuple[Unknown, ...]:
    reasons = there.filter(freshness=Freshness.UNKNOWN.value).order_by().values_list("freshness_reason")
    rows: Iterable[tuple[str, int]] = reasons.annotate(count=Count("pk")).order_by("-count", "freshness_reason")[:NAMED]
    return tuple(Unknown(reason or "Nothing was read of it yet.", count) for reason, count in rows)


def _sources(now: datetime) -> Sources:
    """Both in one query."""
    forecasts = LifecycleForecast.objects.filter(repository__gone_at=None).values_list(Value("forecasts"))
    streams = BaseStream.objects.filter(enabled=True).order_by().values_list(Value("streams"))
    rows = {
        row[0]: row[1:]
        for row in forecasts.annotate(every=Count("pk"), failing=Count("problem"), at=Min(F("read_at"))).union(
            streams.annotate(every=Count("pk"), failing=Count("problem"), at=Min(F("polled_at"))), all=True
        )
    }
    nothing = (0, 0, None)
    found = Sources(*rows.get("streams", nothing), *rows.get("forecasts", nothing))
    read_at = found.forecasts_read_at
    late = read_at is not None and now - read_at > FORECAST_LATE_AFTER
    due = read_at is None and not found.forecasts_failing and Repository.objects.filter(gone_at=None).exists()
    return replace(found, forecasts_late=late, forecasts_due=due)
