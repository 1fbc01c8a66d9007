"""`/views`: filters of the functions list that people save, for themselves or for all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Query, Router, Schema
from ninja.responses import Status
from pydantic import StrictBool

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Answer, Body, Id, Listed, Page, Paged, Told, link, page_of, paged
from functions_app.domain.text import counted
from functions_app.services.inventory.fleet.list_filter import lost
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.settings import view_table
from functions_app.services.people import access, views
from functions_app.services.people.views import Draft, ViewRow
from functions_app.streams.table_download import table_answer

router = Router(tags=["people"])


class ViewLine(Schema):
    """A view; `lost` says what of its filter does not exist any more."""

    id: int
    name: str
    query: str
    person: str
    shared: bool
    default: bool
    changed_at: datetime
    lost: list[str]


class ViewPage(Page):
    """A page of one's own views and those that are shared, by name."""

    views: list[ViewLine]


class ViewAnswer(Told):
    """One view."""

    about: ViewLine


class NewView(Body):
    """A filter of the functions list, with its columns, under a name; one's own of that name is put in its place."""

    name: str = Field(max_length=60)
    query: str = Field("", max_length=views.QUERY, description="as the page has it: freshness=stale&column=base")
    shared: StrictBool = Field(False, description="with everybody; for operators")
    default: StrictBool = Field(False, description="the list opens with it")


class OpensWith(Body):
    """The view that the list opens with; null: all functions."""

    view: Id | None


@router.get("/views", response=ViewPage)
def list_views(request: ApiRequest, filters: Query[Paged]) -> Listed:
    """One's own views and those that are shared; through what has no limits, since filters tell of all accounts."""
    access.require_reach(request.actor, None)
    if filters.format:
        return table_answer(request, view_table(request.actor))
    asked = {"of": "views"}
    found = views.listed(request.actor, page_of(filters.cursor, asked))
    text, at = f"{counted(found.total, 'view')} of the functions list.", (found.number, found.last)
    told = paged(request, reverse("views"), text, asked, total=found.total, at=at, as_of=OWN)
    return {**told, "views": _lines(found.rows)}


@router.post("/views", response={201: ViewAnswer})
def keep_view(request: ApiRequest, response: HttpResponse, body: NewView) -> Answer:
    """Save a view."""
    view = views.save(Draft(body.name, body.query, body.shared, body.default), request.actor)
    response["Location"] = reverse("api:list_views")
    (about,) = _lines([views.row_of(view, request.actor, views.default_of(request.actor))])
    return Status(201, {**_told(request, f"The view {view.name} is saved."), "about": about})


@router.put("/views/default", response=Told)
def open_with_view(request: ApiRequest, body: OpensWith) -> dict[str, Any]:
    """Have the list open with a view, or with all functions."""
    views.open_with(body.view, request.actor)
    return _told(request, "Your list opens with this view." if body.view else "Your list opens with all functions.")


@router.delete("/views/{int:pk}", response=Told)
def remove_view(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Take a view away: one's own; administrators also what others share."""
    views.remove(pk, request.actor)
    return _told(request, "The view is deleted.")


def _told(request: ApiRequest, text: str) -> dict[str, Any]:
    return {"text": text, "url": link(request, reverse("views"))}


def _lines(rows: Sequence[ViewRow]) -> list[dict[str, Any]]:
    accounts = fleet_status(clock.now()).accounts
    return [_line(row, lost(row.query, accounts)) for row in rows]


def _line(view: ViewRow, gone: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": view.pk,
        "lost": list(gone),
        **{name: getattr(view, name) for name in ("name", "query", "person", "shared", "default", "changed_at")},
    }
