"""The functions list: any filter, any order, any page, in two queries over ten thousand functions.

The first counts every combination of the facets by the index alone; the totals of all facets follow from it. The
second finds the keys of the page and reads only those rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from functions_app.models import Function
from functions_app.services.inventory.fleet.facet_counts import Counts, add_up, combinations, counted_facet
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.narrowing import after_facets, before_facets, rows_to_count
from functions_app.services.inventory.fleet.page_keys import Cut, is_walked, order_of, page_keys
from functions_app.services.inventory.fleet.tagged import tagged

PAGE_SIZE = 50
FIELDS = (
    "pk",
    "name",
    "account_id",
    "region",
    "alias_chips",
    "digest",
    "freshness",
    "freshness_reason",
    "releases_behind",
    "days_behind",
    "base_name",
    "runtime",
    "overdue_on",
    "end_of_life_on",
    "state",
    "state_reason",
    "last_update_status",
    "last_update_reason",
    "last_modified",
    "owner",
    "managed_by",
    "drifted",
    "problem",
    "partly_read",
)


@dataclass(frozen=True)
class FunctionRow:
    """One row of the list, flat."""

    pk: int
    name: str
    account: int
    region: str
    aliases: Sequence[dict[str, Any]]
    digest: str
    freshness: str
    freshness_reason: str
    releases_behind: int
    days_behind: int
    base_name: str
    runtime: str
    overdue_on: date | None
    end_of_life_on: date | None
    state: str
    state_reason: str
    last_update_status: str
    last_update_reason: str
    last_modified: datetime
    owner: str
    managed_by: str
    drifted: bool
    problem: str
    partly_read: bool = False


@dataclass(frozen=True)
class FleetPage:
    """One page of the list with the counts beside it."""

    rows: tuple[FunctionRow, ...]
    total: int
    fleet: int
    page: int
    pages: int
    counts: Counts


def functions(wanted: FleetFilter, today: date, within: Q | None = None) -> FleetPage:
    """Read one page; what is overdue or ends soon is so as of `today`. A page past the end gives the last one.

    `within`: what functions must be beside. Two queries, another for words that SQLite looks up, and for a facet that
    somebody opened.
    """
    limited = before_facets(wanted, today, within)
    found = tagged(limited, wanted.tag)
    counted = rows_to_count(wanted, found, within)
    counts, total, fleet = add_up(combinations(counted, today), wanted.chosen)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, wanted.page), pages)
    start = (page - 1) * PAGE_SIZE
    cut = Cut(start, min(PAGE_SIZE, total - start), total)
    rows = _rows(page_keys(wanted, limited, counted, today, cut), wanted) if total else ()
    if wanted.facet:
        counts[wanted.facet] = counted_facet(wanted, today, within)
    return FleetPage(rows, total, fleet, page, pages, counts)


def keys_of(wanted: FleetFilter, today: date, within: Q | None = None) -> QuerySet[Any, int]:
    """The keys of all functions that the filter finds, in its order, whatever its page."""
    listed = after_facets(wanted, tagged(before_facets(wanted, today, within), wanted.tag), today)
    return listed.order_by(*order_of(wanted, walked=is_walked(listed, wanted))).values_list("pk", flat=True)


def rows_of(keys: Sequence[int]) -> tuple[FunctionRow, ...]:
    """The rows of functions, in the order of their keys. One query."""
    found = {row[0]: FunctionRow(*row) for row in Function.objects.filter(pk__in=keys).values_list(*FIELDS)}
    return tuple(found[key] for key in keys if key in found)


def _rows(keys: QuerySet[Any], wanted: FleetFilter) -> tuple[FunctionRow, ...]:
    rows = Function.objects.filter(pk__in=keys).order_by(*order_of(wanted)).values_list(*FIELDS)
    return tuple(FunctionRow(*row) for row in rows)
