"""The burn-down: how many functions ran on a stale base on each day, by base, and how many were overdue."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When

from functions_app.domain.text import counted
from functions_app.models import FreshnessDay

SERIES = 5  # bases that have a colour of their own; the rest is one series
OTHERS = "other bases"
OLD = F("stale") + F("end_of_life")


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
    """The last `days` days, today among them. Two queries: which bases stand out, then each day by those."""
    first = today - timedelta(days=days - 1)
    rows = FreshnessDay.objects.filter(day__gte=first, day__lte=today)
    if account_id is not None:
        rows = rows.filter(account=account_id)
    series = _series(rows)
    found = _days(rows, series)
    return BurnDown(first, series, tuple(found.get(first + timedelta(days=number)) for number in range(days)))


def _series(rows: QuerySet[FreshnessDay]) -> tuple[str, ...]:
    """Bases with stale functions, those with the most function-days first; a name for the rest where there are more."""
    weighed = rows.values_list("base_name").annotate(old=Sum(OLD)).filter(old__gt=0).order_by("-old", "base_name")
    names = tuple(name for name, _ in weighed[: SERIES + 2])
    return names if len(names) <= SERIES + 1 else (*names[:SERIES], OTHERS)


def _days(rows: QuerySet[FreshnessDay], series: Sequence[str]) -> dict[date, Day]:
    """The days that were counted, added up by the database: there may be thousands of rows."""
    place = {name: at for at, name in enumerate(series)}
    stale: dict[date, list[int]] = defaultdict(lambda: [0] * len(series))
    overdue: Counter[date] = Counter()
    computed = set[date]()
    shown = Case(When(base_name__in=series, then=F("base_name")), default=Value(OTHERS))
    sums = rows.values_list("day", shown).annotate(
        old=Sum(OLD), late=Sum("overdue"), made=Count("pk", filter=Q(computed=True))
    )
    for day, base, old, late, made in sums:
        overdue[day] += late
        if made:
            computed.add(day)
        counts = stale[day]  # a day without stale functions was counted all the same
        if old and base in place:  # or it was counted for the first time since the bases were read
            counts[place[base]] = old
    return {day: Day(day, tuple(counts), overdue[day], day in computed) for day, counts in stale.items()}
