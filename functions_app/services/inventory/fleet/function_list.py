"""The functions list: any filter, any order, any page, in two queries over ten thousand functions.

The first counts every combination of the facets by the index alone; the totals of all facets follow from it. The
second finds the page's ids within the index of its order and reads only those rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from functions_app.domain.fleet.states import RANK_UPDATE_FAILED
from functions_app.models import Alias, AliasStanding, Function, FunctionTag
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.search import searched
from functions_app.services.inventory.fleet.tagged import FEW, tagged
from functions_app.services.snapshot.live_versions import live_versions

PAGE_SIZE = 50
FACETS = ("account", "region", "state", "freshness", "base", "overdue")
FACET_COLUMNS = {"alias": "alias", "runtime": "runtime", "owner": "owner", "tool": "managed_by", "tag": "name"}
FACET_VALUES = 200  # of such a facet, the most frequent
COLUMNS = ("account_id", "region", "state", "freshness", "base_name", "overdue")
ENDING = timedelta(days=90)
ORDERS: dict[str, tuple[str, ...]] = {
    "problem": ("-problem_rank", "name", "pk"),
    "name": ("name", "pk"),
    "changed": ("-last_modified", "pk"),
    "behind": ("-days_behind", "name", "pk"),
}
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

Group = tuple[int, str, str, str, str, bool, int]
Counts = dict[str, dict[Any, int]]


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
    limited = _limited(wanted, today, within)
    found = tagged(limited, wanted.tag)
    counted = _counted(wanted, found, within)
    counts, total, fleet = add_up(_groups(counted, today), wanted.chosen)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, wanted.page), pages)
    if wanted.tag and total <= FEW:
        # So few are found first: PostgreSQL, which takes two tags for chance, would look for them all along the order.
        narrowed = Function.objects.filter(pk__in=_functions_of(_left(wanted, counted, today))[:total])
    else:
        narrowed = _narrowed(wanted, tagged(limited, wanted.tag, on_the_way=True), today)
    rows = _rows(narrowed, wanted, page, total) if total else ()
    if wanted.facet:
        counts[wanted.facet] = _counted_facet(wanted, today, within)
    return FleetPage(rows, total, fleet, page, pages, counts)


def keys_of(wanted: FleetFilter, today: date, within: Q | None = None) -> QuerySet[Any, int]:
    """The keys of all functions that the filter finds, in its order, whatever its page."""
    narrowed = _narrowed(wanted, tagged(_limited(wanted, today, within), wanted.tag), today)
    order = ORDERS[wanted.order]
    return narrowed.order_by(*(_backwards(order) if wanted.reverse else order)).values_list("pk", flat=True)


def _limited(wanted: FleetFilter, today: date, within: Q | None) -> QuerySet[Any]:
    """The functions that are left before any of FACETS is chosen; their aliases and tags are asked elsewhere."""
    found = _needing(searched(wanted.search), wanted.needs, today)
    for column, values in (("owner", wanted.owner), ("managed_by", wanted.tool)):
        found = found.filter(**{f"{column}__in": values}) if values else found
    return found.filter(within) if within else found


def _counted(wanted: FleetFilter, found: QuerySet[Any], within: Q | None) -> QuerySet[Any]:
    """The rows that stand for these functions, narrow ones where there are: of their alias, of their first tag."""
    if wanted.alias:
        return _standings(wanted, found, within)
    if wanted.tag and not (within or wanted.narrow or wanted.runtime):
        return tagged(FunctionTag.objects.filter(name=wanted.tag[0]), wanted.tag[1:], "function")
    return _running(found, wanted)


def _standings(wanted: FleetFilter, found: QuerySet[Any], within: Q | None) -> QuerySet[AliasStanding]:
    """How the aliases of these functions stand; of the one that is wanted alone, where one is."""
    standings = AliasStanding.objects.filter(alias=wanted.alias) if wanted.alias else AliasStanding.objects.all()
    standings = _running(standings, wanted)
    if within or wanted.narrow:
        return standings.filter(function__in=found.order_by().values("pk"))
    return tagged(standings, wanted.tag, "function")


def _running(rows: QuerySet[Any], wanted: FleetFilter) -> QuerySet[Any]:
    """Those functions, or aliases of them, that run one of the wanted runtimes."""
    return rows.filter(runtime__in=wanted.runtime) if wanted.runtime else rows


def _narrowed(wanted: FleetFilter, found: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Those of these functions that the facets leave: by their alias, where one is wanted."""
    if not wanted.alias:
        return _left(wanted, _running(found, wanted), today)
    standings = _running(AliasStanding.objects.filter(alias=wanted.alias, function=OuterRef("pk")), wanted)
    return found.filter(Exists(_left(wanted, standings, today)))


def _counted_facet(wanted: FleetFilter, today: date, within: Q | None) -> dict[Any, int]:
    """How many functions each value of the facet that is open would leave, the most first. One query."""
    without = {
        "alias": replace(wanted, alias=""),
        "runtime": replace(wanted, runtime=()),
        "owner": replace(wanted, owner=()),
        "tool": replace(wanted, tool=()),
        "tag": wanted,  # all of them hold: each that is chosen narrows the others
    }
    others = without[wanted.facet]
    found = tagged(_limited(others, today, within), others.tag)
    column = FACET_COLUMNS[wanted.facet]
    if wanted.facet == "alias" or (wanted.facet == "runtime" and wanted.alias):
        narrowed = _left(others, _standings(others, found, within), today)
    elif wanted.facet == "tag":
        narrowed = _tags_of(others, found, today, within)
    else:
        narrowed = _narrowed(others, found, today)
    groups = narrowed.order_by().values_list(column).annotate(count=Count("*")).order_by("-count", column)
    return dict(groups[:FACET_VALUES])


def _tags_of(wanted: FleetFilter, found: QuerySet[Any], today: date, within: Q | None) -> QuerySet[FunctionTag]:
    """The tags of the functions that are found."""
    tags = FunctionTag.objects.all()
    if not (within or wanted.narrow or wanted.runtime or wanted.alias or wanted.tag):
        return _left(wanted, tags, today)
    return tags.filter(function__in=_functions_of(_left(wanted, _counted(wanted, found, within), today)))


def _left(wanted: FleetFilter, rows: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Those of these rows that the facets leave: functions, or what stands for them."""
    return (_late(rows, today) if wanted.overdue else rows).filter(_narrowing(wanted))


def _functions_of(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The keys of functions, or of those that these rows stand for."""
    return rows.order_by().values("pk" if rows.model is Function else "function")


def rows_of(keys: Sequence[int]) -> tuple[FunctionRow, ...]:
    """The rows of functions, in the order of their keys. One query."""
    found = {row[0]: FunctionRow(*row) for row in Function.objects.filter(pk__in=keys).values_list(*FIELDS)}
    return tuple(found[key] for key in keys if key in found)


def _late(found: Any, today: date) -> Any:
    late = Case(When(overdue_on__lte=today, then=Value(True)), default=Value(False), output_field=BooleanField())
    return found.annotate(overdue=late)


def _groups(found: QuerySet[Any], today: date) -> Iterator[Group]:
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


def _needing(found: QuerySet[Any], needs: str, today: date) -> QuerySet[Any]:
    if needs == "ending":
        return found.filter(end_of_life_on__gt=today, end_of_life_on__lte=today + ENDING)
    if needs == "ends":
        return found.filter(end_of_life_on__lte=today + ENDING)
    if needs == "broken":
        return found.filter(problem_rank__gte=RANK_UPDATE_FAILED)
    if needs == "endangered":
        doomed = live_versions().filter(image__expiry_rule__isnull=False, image__gone_at=None)
        return found.filter(pk__in=doomed.values("function"))
    if needs == "no-way-back":
        return found.filter(pk__in=Alias.objects.filter(rollback_targets=0).values("function"))
    if needs == "unruled":
        return found.filter(unruled=True)
    if needs == "unread":
        return found.filter(partly_read=True)
    return found.filter(drifted=True) if needs == "moved" else found


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


def _backwards(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _rows(found: QuerySet[Any], wanted: FleetFilter, page: int, total: int) -> tuple[FunctionRow, ...]:
    order = ORDERS[wanted.order]
    if wanted.reverse:
        order = _backwards(order)
    start = (page - 1) * PAGE_SIZE
    count = min(PAGE_SIZE, total - start)
    # A page of the second half is found from the end, so that the last costs no more than the first.
    from_end = total - start - count
    way, skipped = (order, start) if start <= from_end else (_backwards(order), from_end)
    ids = found.order_by(*way).values("pk")[skipped : skipped + count]
    rows = Function.objects.filter(pk__in=ids).order_by(*order).values_list(*FIELDS)
    return tuple(FunctionRow(*row) for row in rows)


def _narrowing(wanted: FleetFilter) -> Q:
    narrowed = Q()
    for column, values in zip(COLUMNS, wanted.chosen, strict=True):
        if values:
            narrowed &= Q(**{f"{column}__in": values})
    return narrowed
