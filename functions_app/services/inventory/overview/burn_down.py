"""The burn-down: how many functions ran on a stale base on each day, by base, and how many were overdue."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum

from functions_app.domain.text import counted
from functions_app.models import FreshnessDay

SERIES = 5  # bases that have a colour of their own; the rest is one series
OTHERS = "other bases"
Counts = tuple[date, str, int, int, int]  # day, base, stale or at the end of life, overdue, how many rows are computed


@dataclass(frozen=True)
class Day:
    """One day: functions on stale bases in the order of the series, and how many functions were overdue.

    `computed`: of some account at least nobody counted, and what is known of releases and versions stands for it.
    """

    day: date
    stale: tuple[int, ...]
    overdue: int
    computed: bool = False

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.stale)


@dataclass(frozen=True)
class BurnDown:
    """Every day of the range, None where nothing was counted; the largest series comes first."""

    first: date
    series: tuple[str, ...]
    days: tuple[Day | None, ...]

    @property
    def counted(self) -> tuple[Day, ...]:
        """The days that were counted, the latest first."""
        return tuple(day for day in reversed(self.days) if day)

    @property
    def trend(self) -> str:
        """What follows the count of the latest day: how it compares with the earliest, and what is not known."""
        if not self.counted:
            return ""
        latest, earliest = self.counted[0], self.counted[-1]
        if latest is earliest:
            return "today. The chart grows by a day each day: tomorrow there is something to compare."
        change = latest.total - earliest.total
        compared = f"{-change} fewer than" if change < 0 else f"{change} more than" if change else "as many as"
        told = f"now, {compared} on {earliest.day:%F}" + (", by what can be computed." if earliest.computed else ".")
        return told + self._missing

    @property
    def _missing(self) -> str:
        """How many days nobody counted, of those since the first count."""
        own = [day.day for day in self.counted if not day.computed]
        missing = (own[0] - own[-1]).days + 1 - len(own) if own else 0
        return f" {counted(missing, 'day between was', 'days between were')} not counted." if missing else ""


def burn_down(today: date, days: int, account_id: int | None = None) -> BurnDown:
    """The last `days` days, today among them. One query."""
    first = today - timedelta(days=days - 1)
    counted_days = FreshnessDay.objects.filter(day__gte=first, day__lte=today)
    rows = _of_all(counted_days) if account_id is None else _of_one(counted_days.filter(account=account_id))
    return arrange(list(rows), first, days)


def _of_all(counted_days: QuerySet[FreshnessDay]) -> Iterable[Counts]:
    """What the accounts counted, added up by the database: there may be many of them."""
    return counted_days.values_list("day", "base_name").annotate(
        old=Sum(F("stale") + F("end_of_life")), late=Sum("overdue"), made=Count("pk", filter=Q(computed=True))
    )


def _of_one(counted_days: QuerySet[FreshnessDay]) -> Iterator[Counts]:
    """An account counts a base once a day: nothing to add up, and columns as they are cost half as much to read."""
    columns = counted_days.values_list("day", "base_name", "stale", "end_of_life", "overdue", "computed")
    for day, base, stale, over, late, computed in columns:
        yield day, base, stale + over, late, int(computed)


def arrange(rows: Sequence[Counts], first: date, days: int) -> BurnDown:
    """Put counts in the order they are drawn in: the bases that stand out on the latest days have their own series."""
    series = _series(rows)
    place = {name: at for at, name in enumerate(series)}
    stale: dict[date, list[int]] = defaultdict(lambda: [0] * len(series))
    overdue: Counter[date] = Counter()
    computed = {row[0] for row in rows if row[4]}
    for day, base, old, late, _ in rows:
        overdue[day] += late
        counts = stale[day]  # a day without stale functions was counted all the same
        if old:
            counts[place.get(base, len(series) - 1)] += old
    every = (first + timedelta(days=number) for number in range(days))
    return BurnDown(
        first,
        series,
        tuple(Day(day, tuple(stale[day]), overdue[day], day in computed) if day in stale else None for day in every),
    )


def _series(rows: Iterable[Counts]) -> tuple[str, ...]:
    """Bases with stale functions, those with the most function-days first; a name for the rest where there are more."""
    weight: Counter[str] = Counter()
    for _, base, old, *_ in rows:
        if old:
            weight[base] += old
    names = [name for name, _ in sorted(weight.items(), key=lambda item: (-item[1], item[0]))]
    return tuple(names) if len(names) <= SERIES + 1 else (*names[:SERIES], OTHERS)
