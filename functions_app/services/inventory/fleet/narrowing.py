"""Which functions a filter of the list leaves, as queries; and what stands for them where they are counted."""

from datetime import date, timedelta
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from functions_app.domain.fleet.states import RANK_UPDATE_FAILED
from functions_app.models import Alias, AliasStanding, Function, FunctionTag
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.search import keys_by_trigrams, searched
from functions_app.services.inventory.fleet.tagged import tagged
from functions_app.services.snapshot.live_versions import live_versions

COLUMNS = ("account_id", "region", "state", "freshness", "base_name", "overdue")  # of the facets always shown
ENDING = timedelta(days=90)


def before_facets(wanted: FleetFilter, today: date, within: Q | None) -> QuerySet[Any]:
    """The functions that are left before any facet is chosen; their aliases and tags are asked elsewhere."""
    found = _needing(searched(wanted.search), wanted.needs, today)
    for column, values in (("owner", wanted.owner), ("managed_by", wanted.tool)):
        found = found.filter(**{f"{column}__in": values}) if values else found
    return found.filter(within) if within else found


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


def rows_to_count(wanted: FleetFilter, found: QuerySet[Any], within: Q | None) -> QuerySet[Any]:
    """The rows that stand for these functions, narrow ones where there are: of their alias, of their first tag."""
    if wanted.alias:
        return standings_of(wanted, found, within)
    if wanted.tag and not (within or wanted.runtime):
        rows = tagged(FunctionTag.objects.filter(name=wanted.tag[0]), wanted.tag[1:], "function")
        if not wanted.narrow:
            return rows
        if keys := _sought(wanted):
            return rows.filter(function__in=keys)
    return _running(found, wanted)


def standings_of(wanted: FleetFilter, found: QuerySet[Any], within: Q | None) -> QuerySet[AliasStanding]:
    """How the aliases of these functions stand; of the one that is wanted alone, where one is."""
    standings = AliasStanding.objects.filter(alias=wanted.alias) if wanted.alias else AliasStanding.objects.all()
    standings = _running(standings, wanted)
    if within or wanted.narrow:
        keys = None if within else _sought(wanted)
        if keys is None:
            return standings.filter(function__in=found.order_by().values("pk"))
        standings = standings.filter(function__in=keys)
    return tagged(standings, wanted.tag, "function")


def _sought(wanted: FleetFilter) -> RawSQL | None:
    """The keys of what is looked for, where that is all that neither aliases nor tags have columns for."""
    return None if wanted.needs or wanted.owner or wanted.tool else keys_by_trigrams(wanted.search)


def _running(rows: QuerySet[Any], wanted: FleetFilter) -> QuerySet[Any]:
    """Those functions, or aliases of them, that run one of the wanted runtimes."""
    return rows.filter(runtime__in=wanted.runtime) if wanted.runtime else rows


def after_facets(wanted: FleetFilter, found: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Those of these functions that the facets leave: by their alias, where one is wanted."""
    if not wanted.alias:
        return left_by_facets(wanted, _running(found, wanted), today)
    standings = _running(AliasStanding.objects.filter(alias=wanted.alias, function=OuterRef("pk")), wanted)
    return found.filter(Exists(left_by_facets(wanted, standings, today)))


def left_by_facets(wanted: FleetFilter, rows: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Those of these rows that the facets leave: functions, or what stands for them."""
    return (_late(rows, today) if wanted.overdue else rows).filter(_narrowing(wanted))


def _narrowing(wanted: FleetFilter) -> Q:
    narrowed = Q()
    for column, values in zip(COLUMNS, wanted.chosen, strict=True):
        if values:
            narrowed &= Q(**{f"{column}__in": values})
    return narrowed


def _late(found: Any, today: date) -> Any:
    late = Case(When(overdue_on__lte=today, then=Value(True)), default=Value(False), output_field=BooleanField())
    return found.annotate(overdue=late)


def functions_of(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The keys of functions, or of those that these rows stand for."""
    return rows.order_by().values("pk" if rows.model is Function else "function")
