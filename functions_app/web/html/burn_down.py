"""The burn-down as a drawing: stacked bars, a day each, in units that the style sheet scales.

Its bars and the rows of its table are up to a thousand: each day is one format, for a template would take longer than
all the rest of the page, and is remembered, since only the last of them change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.services.inventory.overview.burn_down import BurnDown, Day

HEIGHT, WIDTH = 100, 10  # of the drawing, and of one day in it
DAYS_KNOWN = 1024  # ninety of each account, and of all
GAP = 2  # between two days' bars
BAR = '<g{}><title>{}</title><rect class="day" x="{}" width="{}" height="{}"/>{}</g>'
PART = '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
COMPUTED = SafeString(' class="computed"')
ROW = '<tr><th scope="row" class="nb">{}{}</th><td class="r"><b>{}</b></td><td class="r">{}</td>'
CELL = '<td class="r">{}</td>'


@dataclass(frozen=True)
class Segment:
    """One base's part of one day's bar, from the top down."""

    css: str
    x: int
    y: float
    width: int
    height: float


@dataclass(frozen=True)
class Column:
    """One day: its bar, the area that shows its words when pointed at, and the words."""

    x: int
    words: str
    segments: tuple[Segment, ...]
    computed: bool = False


@dataclass(frozen=True)
class Series:
    """A base in the legend: its colour's class, its name, its functions on the latest day counted."""

    css: str
    name: str
    latest: int


@dataclass(frozen=True)
class TableRow:
    """One day of the table: what the bar shows, in numbers."""

    day: date
    stale: tuple[int, ...]
    total: int
    overdue: int
    computed: bool = False


@dataclass(frozen=True)
class Drawing:
    """What the template draws. `overdue` are the points of unbroken stretches of the line; empty without any."""

    width: int
    height: int
    most: int
    columns: tuple[Column, ...]
    overdue: tuple[str, ...]
    overdue_latest: int
    series: tuple[Series, ...]
    table: tuple[TableRow, ...]
    first: date
    middle: date
    last: date
    computed: bool = False  # some of its days are


def draw(found: BurnDown) -> Drawing | None:
    """The drawing, or None where no day was counted."""
    counted = found.counted
    if not counted:
        return None
    most = max(1, *(max(day.total, day.overdue) for day in counted))
    latest = counted[0]
    days = len(found.days)
    return Drawing(
        width=days * WIDTH,
        height=HEIGHT,
        most=most,
        columns=tuple(_column(at, day, found.series, most) for at, day in enumerate(found.days) if day),
        overdue=tuple(_lines(found.days, most)) if any(day.overdue for day in counted) else (),
        overdue_latest=latest.overdue,
        series=tuple(
            Series(_css(at), name or "no base known", latest.stale[at]) for at, name in enumerate(found.series)
        ),
        table=tuple(TableRow(day.day, day.stale, day.total, day.overdue, day.computed) for day in counted),
        computed=any(day.computed for day in counted),
        first=found.first,
        middle=_day(found, days // 2),
        last=_day(found, days - 1),
    )


def day_bars(columns: Iterable[Column]) -> SafeString:
    """The bars of all days."""
    return SafeString("".join(map(_bar, columns)))


@lru_cache(maxsize=DAYS_KNOWN)
def _bar(column: Column) -> SafeString:
    values = [value for each in column.segments for value in (each.css, each.x, each.y, each.width, each.height)]
    parts = format_html(PART * len(column.segments), *values) if values else SafeString("")
    return format_html(BAR, COMPUTED if column.computed else "", column.words, column.x, WIDTH, HEIGHT, parts)


def day_rows(rows: Iterable[TableRow]) -> SafeString:
    """The same in numbers, as rows of a table."""
    return SafeString("".join(map(_row, rows)))


@lru_cache(maxsize=DAYS_KNOWN)
def _row(row: TableRow) -> SafeString:
    cells = CELL * len(row.stale)
    note = SafeString(' <span class="sub">computed</span>') if row.computed else ""
    return format_html(f"{ROW}{cells}</tr>", f"{row.day:%F}", note, row.total, row.overdue, *row.stale)


def _day(found: BurnDown, at: int) -> date:
    return date.fromordinal(found.first.toordinal() + at)


def _css(at: int) -> str:
    return f"s{at}"


def _column(at: int, day: Day, series: tuple[str, ...], most: int) -> Column:
    segments, top = [], float(HEIGHT)
    for place, count in enumerate(day.stale):
        if count:
            height = count / most * HEIGHT
            top -= height
            segments.append(Segment(_css(place), at * WIDTH + GAP // 2, round(top, 2), WIDTH - GAP, round(height, 2)))
    parts = [f"{name or 'no base known'} {count}" for name, count in zip(series, day.stale, strict=True) if count]
    words = f"{day.day:%F}: {day.total} stale" + (f" ({', '.join(parts)})" if parts else "")
    words += f", {day.overdue} overdue" + (", computed" if day.computed else "")
    return Column(at * WIDTH, words, tuple(segments), day.computed)


def _lines(days: Iterable[Day | None], most: int) -> Iterable[str]:
    """A step for each day, so that one day alone is a line, too; a gap breaks it."""
    points: list[str] = []
    for at, day in enumerate(days):
        if day is None:
            if points:
                yield " ".join(points)
            points = []
            continue
        y = round(HEIGHT - day.overdue / most * HEIGHT, 2)
        points += [f"{at * WIDTH},{y}", f"{(at + 1) * WIDTH},{y}"]
    if points:
        yield " ".join(points)
