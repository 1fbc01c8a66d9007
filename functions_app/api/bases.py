"""`/bases`: the base images that functions stand on, their releases, how long a stale one may stay; polls."""

from datetime import date, datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import (
    Answer,
    Body,
    Format,
    Id,
    Listed,
    Page,
    Paged,
    Told,
    cursor_of,
    link,
    one_of,
    page_of,
    paged,
)
from functions_app.api.streams import StreamAnswer, StreamBody, drafted, stream_told
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import BaseStream
from functions_app.services.bases import poll_schedule, stream_form
from functions_app.services.bases.stream_form import StreamDraft
from functions_app.services.inventory.bases.base import ReleaseRow, Wanted, base_page
from functions_app.services.inventory.bases.base_list import StreamRow, base_list
from functions_app.services.inventory.bases.release_list import release_list
from functions_app.services.inventory.bases.users import UserRow
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.bases import base_table, base_user_table, release_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer

router = Router(tags=["bases"])


class BaseLine(Schema):
    """A base stream: what is current of it, and who stands on it."""

    id: int
    name: str
    reference: str
    own: bool
    current: str
    current_at: datetime | None
    functions: int
    behind: int
    end_of_life: date | None
    polled_at: datetime | None
    problem: str


class BaseList(Told):
    """The base streams, those with most behind first; `unknown`: functions whose base is not known."""

    bases: list[BaseLine]
    unknown: int


class ReleaseLine(Schema):
    """A release of a base, and how much runs it."""

    id: int
    label: str
    platform: str
    created_at: datetime
    current: bool
    digest: str
    functions: int
    aliases: int


class ReleaseFilters(Paged):
    """For which platform: the most used, where none is named; all, as CSV."""

    platform: str = Field("", max_length=60, description="linux/amd64")


class ReleasePage(Page):
    """A page of releases."""

    releases: list[ReleaseLine]


class Poll(Body):
    """Which bases are to be read: all, where none is named."""

    bases: list[Id] = Field(default=[], max_length=200, description="ids")


EVERY = Poll()


class BaseFilters(Paged):
    """Of which platform are the releases; of which release or account those who run them."""

    platform: str = Field("", max_length=60, description="linux/amd64; the most used, where none is named")
    release: int | None = Field(None, ge=1, lt=10**18, description="id of a release")
    account: str = Field("", max_length=80, description="the account's name")


class UserLine(Schema):
    """A version that runs a release of a base, by these aliases (none: calls reach it without one)."""

    function_id: int
    function: str
    account: str
    region: str
    owner: str
    version: str
    aliases: list[str]
    standing: str
    release: str
    through: str = Field(description="the golden image it stands on; empty: on the base itself")
    changes_to: int | None = Field(description="id of the current release, where it runs an older one")


class BaseAnswer(Told):
    """One base with the newest of its releases, and a page of who runs them; `next` is the cursor of the page after."""

    id: int
    name: str
    reference: str
    functions: int
    behind: int
    platform: str
    releases: list[ReleaseLine]
    users: list[UserLine]
    users_total: int
    users_older: int = Field(description="functions among them that a patch list of these would bring forward")
    next: str | None


@router.get("/bases", response=BaseList)
def list_bases(request: ApiRequest, format: Format = "") -> Listed:
    """The base images that functions stand on, and those that are watched beside."""
    access.require_reach(request.actor, None)
    if format:
        return table_answer(request, base_table(clock.now()))
    found = base_list(clock.now(), brief=True)
    behind = sum(row.tally.behind for row in found.used)
    return {
        "text": (
            f"{counted(len(found.used), 'base')} in use; {counted(behind, 'function')} behind, {found.unknown} on a "
            "base nobody knows."
        ),
        "url": link(request, reverse("bases")),
        "unknown": found.unknown,
        "bases": [_line(row) for row in (*found.used, *found.unused)],
    }


def _line(row: StreamRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "current": row.current_tag,
        "functions": row.tally.total,
        "behind": row.tally.behind,
        "end_of_life": min((day for day in (row.ends.runtime, row.ends.os) if day), default=None),
        "problem": row.problem.message if row.problem else "",
        **{name: getattr(row, name) for name in ("name", "reference", "own", "current_at", "polled_at")},
    }


@router.post("/bases", response={201: StreamAnswer})
def add_base(request: ApiRequest, response: HttpResponse, body: StreamBody) -> Answer:
    """Watch a company's own base from now on; it is read at once."""
    access.require_setter(request.actor, "stream.add", body.reference)
    stream = stream_form.save(drafted(StreamDraft(), body), request.actor)
    response["Location"] = reverse("api:get_base_settings", args=[stream.pk])
    return Status(201, stream_told(request, response, stream))


@router.get("/bases/{int:pk}", response=BaseAnswer)
def get_base(request: ApiRequest, pk: int, filters: Query[BaseFilters]) -> Listed:
    """One base: its newest releases, how much runs each, and who does; of one release or account where it is named.

    As CSV all who do.
    """
    access.require_reach(request.actor, None)
    now = clock.now()
    accounts = fleet_status(now).accounts
    numbers = {fact.name: fact.pk for fact in accounts}
    one_of("account", filters.account, numbers)
    if filters.format:
        account = numbers.get(filters.account)
        return table_answer(request, base_user_table(pk, filters.release, account, accounts, now))
    asked = {"base": pk, **filters.chosen()}
    wanted = Wanted(
        filters.platform,
        filters.release,
        numbers.get(filters.account),
        users_page=page_of(filters.cursor, asked),
    )
    found = base_page(pk, wanted, accounts, now)
    one_of("platform", filters.platform, tuple(name for name, _ in found.platforms))
    one_of("release", str(filters.release or ""), frozenset(str(mark.pk) for mark in found.choices))
    query = {"platform": filters.platform, "release": filters.release, "account": wanted.account}
    more = found.users_page < found.users_pages
    return {
        "text": f"{found.stream.name}: {found.tally.behind} of {found.tally.total} functions are behind.",
        "url": link(request, f"{reverse('base', args=[pk])}?{urlencode({k: v for k, v in query.items() if v})}"),
        "platform": found.platform,
        "users": [_user(row) for row in found.users],
        "users_total": found.users_total,
        "users_older": found.users_older,
        "next": cursor_of(found.users_page + 1, asked) if more else None,
        "id": pk,
        "name": found.stream.name,
        "reference": found.stream.reference,
        "functions": found.tally.total,
        "behind": found.tally.behind,
        "releases": [_release(row) for row in found.rows],
    }


def _user(row: UserRow) -> dict[str, Any]:
    same = ("function_id", "region", "owner", "version", "release", "through", "changes_to")
    return {
        "function": row.name,
        "account": row.account.name,
        "aliases": list(row.aliases),
        "standing": row.standing.value,
        **{name: getattr(row, name) for name in same},
    }


def _release(row: ReleaseRow) -> dict[str, Any]:
    release = row.release
    return {
        "id": release.pk,
        "digest": release.manifest_digest,
        **{name: getattr(row, name) for name in ("label", "functions", "aliases")},
        **{name: getattr(release, name) for name in ("platform", "created_at", "current")},
    }


@router.get("/bases/{int:pk}/releases", response=ReleasePage)
def list_releases(request: ApiRequest, pk: int, filters: Query[ReleaseFilters]) -> Listed:
    """The releases of a base for one platform, the newest first, and how much runs each."""
    access.require_reach(request.actor, None)
    asked = {"base": pk, "platform": filters.platform}
    found = release_list(pk, filters.platform, page_of(filters.cursor, asked), clock.now().date())
    one_of("platform", filters.platform, found.platforms)
    if filters.format:
        return table_answer(request, release_table(found.stream, filters.platform, clock.now().date()))
    names = [name for name in ReleaseLine.model_fields if name != "id"]
    text = f"{found.stream.name} has {counted(found.total, 'release')} for {found.platform or 'no platform'}."
    address, at = reverse("base", args=[pk]), (found.page, found.pages)
    return {
        **paged(request, address, text, asked, total=found.total, at=at, as_of=found.stream.polled_at),
        "releases": [{"id": row.pk, **{name: getattr(row, name) for name in names}} for row in found.rows],
    }


@router.post("/polls", response={202: Started})
def start_poll(request: ApiRequest, response: HttpResponse, body: Poll = EVERY) -> Answer:
    """Look for new releases of every base that is watched, or of some; 409 while a poll is under way."""
    access.require_operator(request.actor, "poll.start", f"bases {body.bases}" if body.bases else "all bases")
    if missing := sorted(set(body.bases) - set(BaseStream.objects.values_list("pk", flat=True))):
        raise DrydockError(Code.NOT_FOUND, f"There is no base {missing[0]}.", next_step="Look for it in /bases.")
    return followed(request, response, poll_schedule.submit_poll(request.actor, body.bases or None))
