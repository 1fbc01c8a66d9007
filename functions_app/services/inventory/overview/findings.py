"""The overview: what needs attention first, how fresh the fleet is now, and how old what is shown may be.

Seventeen queries at most beside the frame's, and those for what was not read where anything was not (unread.py),
however many functions there are: counts stand ready, and only the few functions that are named are read, each kind in
the order of its own index.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Min, Q, QuerySet, Value, Window

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.unknown_reasons import NOTHING_READ
from functions_app.domain.runs import ACTIVE
from functions_app.models import Alias, BaseStream, Function, Image, LifecycleForecast, Repository, Run
from functions_app.services.inventory.overview.burn_down import BurnDown, burn_down
from functions_app.services.snapshot.endangered_images import LiveDangers, live_dangers
from functions_app.services.snapshot.function_counts import BROKEN, What, kept, reasons

NAMED = 5  # functions named under each finding
ENDS_WITHIN = timedelta(days=90)
FORECAST_LATE_AFTER = timedelta(days=2)  # they are read daily


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
    freshness: str = ""


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
    """How old what is judged by may be, base streams and lifecycle forecasts; and how many of a kind fail, anywhere."""

    streams: int
    streams_failing: int
    streams_polled_at: datetime | None
    forecasts: int
    forecasts_failing: int
    forecasts_read_at: datetime | None
    repositories_failing: int = 0  # whose images could not be listed
    images_failing: int = 0
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
    production: dict[str, int]  # of functions, by the worst of their aliases with production traffic
    broken: Found
    endangered: LiveDangers
    stuck: Stuck
    inactive: Found
    overdue: Found
    endings: tuple[Ending, ...]
    drifted: Found
    partly_read: Found  # not read, or not in all parts
    unruled: Found  # stale, and no policy says for how long
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
    counts = _counts(today, account_id)
    return Overview(
        functions=counts.functions,
        freshness={each.value: counts.freshness[each.value] for each in Freshness},
        production=counts.production,
        broken=_found(counts, What.BROKEN, there.filter(problem_rank__gte=BROKEN), "-problem_rank"),
        endangered=live_dangers(NAMED, account_id),
        stuck=_stuck(account_id),
        inactive=_found(counts, What.INACTIVE, there.filter(state="Inactive")),
        overdue=_found(counts, What.OVERDUE, there.filter(overdue_on__lte=today), "overdue_on"),
        endings=_endings(counts, today),
        drifted=_found(counts, What.DRIFTED, there.filter(drifted=True)),
        partly_read=_found(counts, What.PARTLY_READ, there.filter(partly_read=True)),
        unruled=_found(counts, What.UNRULED, there.filter(unruled=True)),
        unknown=_unknown(account_id) if counts.freshness[Freshness.UNKNOWN.value] else (),
        burn_down=burn_down(today, days, account_id),
        runs=tuple(
            Run.objects.filter(status__in=sorted(ACTIVE), parent=None)
            .defer("plan", "memory", "result")
            .order_by("-pk")[:NAMED]
        ),
        sources=_sources(now),
    )


@dataclass(frozen=True)
class _Counts:
    """What stands ready, sorted."""

    freshness: Counter[str]
    production: Counter[str]
    ends: Counter[tuple[str, date]]
    of: Counter[What]  # of the others

    @property
    def functions(self) -> int:
        return self.freshness.total()


def _counts(today: date, account_id: int | None) -> _Counts:
    found = _Counts(Counter(), Counter(), Counter(), Counter())
    for (what, name, day), number in kept(today, today + ENDS_WITHIN, account_id).items():
        if what is What.FRESHNESS:
            found.freshness[name] += number
        elif what is What.PRODUCTION:
            found.production[name] += number
        elif day:
            found.ends[name, day] += number
        else:
            found.of[what] += number
    return found


def _found(counts: _Counts, what: What, few: QuerySet[Function], *order: str) -> Found:
    """How many there are of one kind, and the first few; no query where there are none."""
    if not counts.of[what]:
        return Found(0)
    fields = ("pk", "name", "account_id", "problem", "problem_rank", "drifted", "state", "overdue_on", "freshness")
    named = tuple(Named(*row) for row in few.order_by(*order, "name", "pk").values_list(*fields)[:NAMED])
    return Found(max(counts.of[what], len(named)), named)


def _endings(counts: _Counts, today: date) -> tuple[Ending, ...]:
    """By base, what has ended apart from what will: the first end of what its functions run on."""
    found: dict[tuple[str, bool], Ending] = {}
    for (base, on), functions in sorted(counts.ends.items(), key=lambda item: (item[0][1], item[0][0])):
        known = found.setdefault((base, on <= today), Ending(base, on, (on - today).days, 0))
        found[base, on <= today] = replace(known, functions=known.functions + functions)
    return tuple(found.values())


def _stuck(account_id: int | None) -> Stuck:
    """One query: the counts stand beside each of the few rows."""
    # By their keys, which an index has: beside an account SQLite would begin with all its functions.
    without = Alias.objects.filter(rollback_targets=0).order_by().values("pk")
    aliases = Alias.objects.filter(pk__in=without, function__gone_at=None)
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


def _unknown(account_id: int | None) -> tuple[Unknown, ...]:
    return tuple(Unknown(reason or NOTHING_READ, count) for reason, count in reasons(NAMED, account_id))


def _sources(now: datetime) -> Sources:
    """All in one query: of what fails alone, few rows of an index are counted."""
    forecasts = LifecycleForecast.objects.filter(repository__gone_at=None)
    streams = BaseStream.objects.filter(enabled=True)
    unlisted = Repository.objects.filter(gone_at=None, images_problem__isnull=False)
    unread = Image.objects.filter(inspected_at=None, gone_at=None, inspect_problem__isnull=False)
    parts = [
        some.order_by().values_list(Value(name)).annotate(every=Count("pk"), failing=Count(problem), at=Min(F(at)))
        for name, some, problem, at in (
            ("forecasts", forecasts, "problem", "read_at"),
            ("streams", streams, "problem", "polled_at"),
            ("repositories", unlisted, "pk", "images_synced_at"),
            ("images", unread, "pk", "inspected_at"),
        )
    ]
    rows = {row[0]: row[1:] for row in parts[0].union(*parts[1:], all=True)}
    nothing = (0, 0, None)
    found = Sources(*rows.get("streams", nothing), *rows.get("forecasts", nothing))
    read_at = found.forecasts_read_at
    return replace(
        found,
        repositories_failing=rows.get("repositories", nothing)[1],
        images_failing=rows.get("images", nothing)[1],
        forecasts_late=read_at is not None and now - read_at > FORECAST_LATE_AFTER,
        forecasts_due=read_at is None
        and not found.forecasts_failing
        and Repository.objects.filter(gone_at=None).exists(),
    )
