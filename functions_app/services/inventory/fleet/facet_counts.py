"""What each value of each facet beside the functions list would leave."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from functions_app.models import FunctionTag
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.narrowing import (
    COLUMNS,
    after_facets,
    before_facets,
    functions_of,
    left_by_facets,
    rows_to_count,
    standings_of,
)
from functions_app.services.inventory.fleet.tagged import tagged

FACETS = ("account", "region", "state", "freshness", "base", "overdue")
FACET_COLUMNS = {"alias": "alias", "runtime": "runtime", "owner": "owner", "tool": "managed_by", "tag": "name"}
FACET_VALUES = 200  # of such a facet, the most frequent

Group = tuple[int, str, str, str, str, bool, int]
Counts = dict[str, dict[Any, int]]


def combinations(found: QuerySet[Any], today: date) -> Iterator[Group]:
    """Every combination of the facets' values with its count.

    What is overdue is counted within its group: to group by it, too, would need the rows in another order than the
    index has them in, at twice the time.
    """
    late = Count("overdue_on", filter=Q(overdue_on__lte=today))
    rows = found.order_by().values_list(*COLUMNS[:-1]).annotate(count=Count("*"), late=late)
    for *values, count, overdue in rows:
        if overdue:
            yield (*values, True, overdue)
        if count > overdue:
            yield (*values, False, count - overdue)


def add_up(groups: Iterable[Group], chosen: Sequence[Sequence[Any]]) -> tuple[Counts, int, int]:
    """Counts per facet value, the number of functions that match, and the number before any facet was chosen.

    A facet's own choice does not narrow its own counts, so that its other values show what they would add.
    """
    counts: Counts = {name: {} for name in FACETS}
    columns = list(counts.values())
    narrowed = [(at, frozenset(values)) for at, values in enumerate(chosen) if values]
    total = fleet = 0
    for group in groups:
        count: int = group[6]
        fleet += count
        missed = -1
        for at, allowed in narrowed:
            if group[at] not in allowed:
                if missed >= 0:
                    break
                missed = at
        else:
            if missed >= 0:
                value = group[missed]
                columns[missed][value] = columns[missed].get(value, 0) + count
                continue
            total += count
            for at, column in enumerate(columns):
                column[group[at]] = column.get(group[at], 0) + count
    return counts, total, fleet


def counted_facet(wanted: FleetFilter, today: date, within: Q | None) -> dict[Any, int]:
    """How many functions each value of the facet that is open would leave, the most first. One query."""
    without = {
        "alias": replace(wanted, alias=""),
        "runtime": replace(wanted, runtime=()),
        "owner": replace(wanted, owner=()),
        "tool": replace(wanted, tool=()),
        "tag": wanted,  # all of them hold: each that is chosen narrows the others
    }
    others = without[wanted.facet]
    found = tagged(before_facets(others, today, within), others.tag)
    column = FACET_COLUMNS[wanted.facet]
    if wanted.facet == "alias" or (wanted.facet == "runtime" and wanted.alias):
        listed = left_by_facets(others, standings_of(others, found, within), today)
    elif wanted.facet == "tag":
        listed = _tags_of(others, found, today, within)
    else:
        listed = after_facets(others, found, today)
    counts = listed.order_by().values_list(column).annotate(count=Count("*")).order_by("-count", column)
    return dict(counts[:FACET_VALUES])


def _tags_of(wanted: FleetFilter, found: QuerySet[Any], today: date, within: Q | None) -> QuerySet[FunctionTag]:
    """The tags of the functions that are found."""
    tags = FunctionTag.objects.all()
    if not (within or wanted.narrow or wanted.runtime or wanted.alias or wanted.tag):
        return left_by_facets(wanted, tags, today)
    return tags.filter(function__in=functions_of(left_by_facets(wanted, rows_to_count(wanted, found, within), today)))
