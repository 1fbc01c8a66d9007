"""`/functions`: the list by the pages' own filters; one function with its aliases and versions."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Format, Listed, Page, Paged, Told, in_utc, link, one_of, page_of, paged
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.services.changes.patching.undo import last_patch
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.function import (
    FunctionHead,
    VersionRow,
    function_head,
    function_versions,
    read_at,
)
from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet.function_list import functions as listed
from functions_app.services.inventory.fleet.list_filter import (
    NEEDS,
    OVERDUE,
    SORTS,
    TAG,
    TAGS,
    FleetFilter,
    read_filter,
)
from functions_app.services.inventory.fleet.version_list import version_list
from functions_app.services.inventory.fleet_status import AccountFact, fleet_status
from functions_app.services.inventory.tables.fleet import function_table, version_table
from functions_app.services.people.reach import functions_within
from functions_app.streams.table_download import table_answer

router = Router(tags=["fleet"])
_LATE = ("freshness", "freshness_reason", "releases_behind", "days_behind", "overdue_on", "end_of_life_on")


class Filters(Paged):
    """As the functions page has them in its address; several of one name mean any of them."""

    search: str = Field("", max_length=200)
    account: list[str] = Field([], max_length=50, description="names of accounts")
    region: list[str] = Field([], max_length=50)
    state: list[str] = Field([], max_length=50)
    freshness: list[str] = Field([], max_length=50)
    base: list[str] = Field([], max_length=50, description="as python:3.12; none for no base found")
    overdue: list[str] = Field([], max_length=2, description="yes, no")
    alias: str = Field(
        "",
        max_length=130,
        description=f"functions with this alias; {ANY}: with any that carries production traffic, by the worst of "
        "them. Other filters are of how it stands",
    )
    runtime: list[str] = Field([], max_length=50, description="as python3.12; none for not known")
    owner: list[str] = Field([], max_length=50)
    tool: list[str] = Field([], max_length=50, description="what manages it, as terraform; none for nothing known")
    tag: list[str] = Field([], max_length=TAGS, description="KEY=VALUE, as team=red; all of them hold")
    needs: str = Field("", description=", ".join(NEEDS))
    sort: str = Field("", description=f"{', '.join(SORTS)}; a minus before it reverses it")


class AliasChip(Schema):
    """An alias in the list: where it points, and how fresh what it runs is."""

    name: str
    version: str
    digest: str
    freshness: str


class FunctionLine(Schema):
    """A function in the list."""

    id: int
    name: str
    account: str
    region: str
    state: str
    freshness: str
    freshness_reason: str
    base: str
    runtime: str
    releases_behind: int
    days_behind: int
    overdue_on: date | None
    end_of_life_on: date | None
    digest: str
    aliases: list[AliasChip]
    owner: str
    managed_by: str
    problem: str
    last_modified: datetime


class FunctionPage(Page):
    """A page of functions."""

    functions: list[FunctionLine]


class AliasLine(Schema):
    """One way calls take: an alias (empty: without one), its share of the calls, the version it reaches."""

    alias: str
    weight: float
    version: str
    digest: str


class VersionLine(Schema):
    """A version, and the image that it runs."""

    version: str
    digest: str
    state: str
    base: str
    freshness: str
    published_at: datetime
    tags: list[str]
    deployed_tag: str
    tag_moved: bool


class FunctionAnswer(Told):
    """One function, as AWS said it at `as_of`; `last_patch`: the run of the patch that an undo would take back."""

    id: int
    name: str
    arn: str
    account: str
    region: str
    description: str
    state: str
    state_reason: str
    owner: str
    managed_by: str
    gone: bool
    as_of: datetime | None
    aliases: list[AliasLine]
    freshness: str
    freshness_reason: str
    base: str
    runtime: str
    releases_behind: int
    days_behind: int
    overdue_on: date | None
    end_of_life_on: date | None
    problem: str
    last_patch: int | None


class VersionPage(Page):
    """A page of a function's versions."""

    versions: list[VersionLine]


@router.get("/functions", response=FunctionPage)
def list_functions(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """Image functions, those with a problem first."""
    return page_of_functions(request, filters, request.GET)


def page_of_functions(request: ApiRequest, filters: Filters, query: QueryDict) -> Listed:
    """A page of functions, or all of them; `query` is the filter as the page has it in its address. Raises INVALID."""
    status = fleet_status(clock.now())
    reach = request.actor.reach
    wanted = wanted_of(filters, query, status.reached(reach))
    within, today = functions_within(reach), clock.now().date()
    if filters.format:
        return table_answer(request, function_table(wanted, today, within))
    asked = {"of": request.path, **filters.chosen()}
    wanted = replace(wanted, page=page_of(filters.cursor, asked))
    found = listed(wanted, today, within)
    accounts = {fact.pk: fact for fact in status.accounts}
    stale = found.counts["freshness"].get(Freshness.STALE.value, 0)
    text = f"{counted(found.total, 'function')}, {stale} stale, as of {in_utc(status.synced_at)}: "
    text += ", ".join(row.name for row in found.rows[:20]) or "none"
    address, at = f"{reverse('functions')}?{_without_cursor(query)}", (found.page, found.pages)
    return {
        **paged(request, address, text, asked, total=found.total, at=at, as_of=status.synced_at),
        "functions": [_line(row, accounts) for row in found.rows],
    }


def wanted_of(filters: Filters, query: QueryDict, accounts: tuple[AccountFact, ...]) -> FleetFilter:
    """The filter, where all of it is understood. Raises INVALID."""
    known = frozenset(fact.name for fact in accounts)
    for name in filters.account:
        one_of("account", name, known)
    for value in filters.freshness:
        one_of("freshness", value, frozenset(Freshness))
    for value in filters.overdue:
        one_of("overdue", value, frozenset(OVERDUE.values()))
    for value in filters.tag:
        if not TAG.understands(value):
            raise DrydockError(Code.INVALID, f"{value} is not a tag.", next_step=f"Write it as {TAG.how}.")
    one_of("needs", filters.needs, NEEDS)
    one_of("sort", filters.sort.removeprefix("-"), tuple(SORTS))
    return read_filter(query, accounts)


def _without_cursor(query: QueryDict) -> str:
    kept = query.copy()
    kept.pop("cursor", None)
    return kept.urlencode()


def _line(row: FunctionRow, accounts: dict[int, AccountFact]) -> dict[str, Any]:
    chips = [{name: str(chip.get(name, "")) for name in AliasChip.model_fields} for chip in row.aliases]
    return {
        "id": row.pk,
        "account": accounts[row.account].name,
        "base": row.base_name,
        "aliases": chips,
        **{
            name: getattr(row, name)
            for name in FunctionLine.model_fields
            if name not in ("id", "account", "base", "aliases")
        },
    }


@router.get("/functions/{function}", response=FunctionAnswer)
def get_function(request: ApiRequest, function: str) -> dict[str, Any]:
    """One function by id, ARN, name or name:alias; 409 with the choices where several have that name."""
    named = addressing.find(function, request.actor)
    head, found = function_head(named.function.pk), function_versions(named.function.pk)
    lanes = [
        {
            "alias": lane.alias,
            "weight": lane.weight,
            "version": lane.number,
            "digest": lane.row.version.digest if lane.row else "",
        }
        for lane in found.lanes
        if not named.qualifier or named.qualifier in (lane.alias, lane.number)
    ]
    return {
        "text": _told(head, lanes),
        "url": link(request, reverse("function", args=[head.pk])),
        "id": head.pk,
        "account": head.account.name,
        "gone": head.gone_at is not None,
        "as_of": head.read_at,
        "aliases": lanes,
        "base": named.function.base_name,
        "last_patch": patch.pk if (patch := last_patch(head.pk)) else None,
        **{name: getattr(named.function, name) for name in (*_LATE, "problem", "runtime")},
        **{
            name: getattr(head, name)
            for name in ("name", "arn", "region", "description", "state", "state_reason", "owner", "managed_by")
        },
    }


def _told(head: FunctionHead, lanes: list[dict[str, Any]]) -> str:
    points = ", ".join(f"{lane['alias'] or lane['version']} {lane['digest'][7:19]}" for lane in lanes[:2])
    return f"{head.name}: {head.advice.text} {points}"


@router.get("/functions/{function}/versions", response=VersionPage)
def list_versions(request: ApiRequest, function: str, cursor: str = "", format: Format = "") -> Listed:
    """The versions of a function, newest first, $LATEST before them."""
    row = addressing.find(function, request.actor).function
    if format:
        return table_answer(request, version_table(row.pk))
    asked = {"function": row.pk}
    found = version_list(row.pk, page_of(cursor, asked))
    text = f"{row.name} has {counted(found.total, 'published version')}."
    address, at = reverse("function", args=[row.pk]), (found.page, found.pages)
    told = paged(request, address, text, asked, total=found.total, at=at, as_of=read_at(row))
    return {**told, "versions": [_version(row) for row in found.rows]}


def _version(row: VersionRow) -> dict[str, Any]:
    image = row.image
    return {
        "version": row.version.number,
        "digest": row.version.digest,
        "state": row.version.state,
        "base": image.base_stream.name if image and image.base_stream else "",
        "freshness": image.freshness if image else Freshness.UNKNOWN.value,
        "published_at": row.version.last_modified,
        "tags": list(row.tags),
        "deployed_tag": row.deployed_tag.name if row.deployed_tag else "",
        "tag_moved": row.drifted,
    }
