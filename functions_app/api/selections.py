"""`/selections`: functions that are chosen at this moment, and what is done with exactly those."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from ninja import Field, Router
from ninja.responses import Status

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Body, Format, Id, Listed, Told, in_utc, link
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.selections import MOST
from functions_app.models import Selection
from functions_app.services.inventory.fleet.function_list import keys_of
from functions_app.services.inventory.fleet.list_filter import lost, read_filter
from functions_app.services.inventory.fleet.selection import there, within
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.fleet import chosen_table
from functions_app.services.people import access, selections
from functions_app.services.people.reach import functions_within
from functions_app.services.sync import single_functions
from functions_app.streams.table_download import table_answer

router = Router(tags=["fleet"])


class NewSelection(Body):
    """These functions; or, where none is named, all that the filter finds now."""

    functions: list[Id] = Field(default=[], max_length=MOST, description="ids")
    query: str = Field("", max_length=4000, description="as the page has it: freshness=stale&account=production")


class SelectionAnswer(Told):
    """What was selected, its owner's alone until it expires."""

    id: UUID
    made_at: datetime
    expires_at: datetime
    functions: list[int]


@router.post("/selections", response={201: SelectionAnswer})
def make_selection(request: ApiRequest, response: HttpResponse, body: NewSelection) -> Answer:
    """Freeze functions as a list, whatever a filter finds later."""
    reach = functions_within(request.actor.reach)
    if body.functions:
        keys = there(body.functions, reach)
    else:
        accounts = fleet_status(clock.now()).reached(request.actor.reach)
        if said := lost(body.query, accounts):
            raise DrydockError(Code.INVALID, " ".join(said), next_step="Correct the filter; nothing was selected.")
        wanted = read_filter(QueryDict(body.query), accounts)
        keys = list(keys_of(wanted, clock.now().date(), reach)[: MOST + 1])
    made = selections.freeze(keys, request.actor)
    response["Location"] = reverse("api:get_selection", args=[made.pk])
    return Status(201, _told(request, made))


@router.get("/selections/{uuid:selection_id}", response=SelectionAnswer)
def get_selection(request: ApiRequest, selection_id: UUID, format: Format = "") -> Listed:
    """A selection of one's own, as it was frozen."""
    found = selections.load(selection_id, request.actor)
    if format:
        reached = within(found.functions, functions_within(request.actor.reach))
        return table_answer(request, chosen_table(f"selection-{found.pk}", reached))
    return _told(request, found)


@router.post("/selections/{uuid:selection_id}/syncs", response={202: Started})
def sync_selection(request: ApiRequest, response: HttpResponse, selection_id: UUID) -> Answer:
    """Read exactly these functions anew."""
    access.require_operator(request.actor, "sync.start", f"selection {selection_id}")
    access.require_reach(request.actor, None)  # the run is of no single function: others could not follow it
    chosen = selections.load(selection_id, request.actor, "sync.start")
    return followed(request, response, single_functions.submit(chosen.functions, request.actor))


def _told(request: ApiRequest, found: Selection) -> dict[str, Any]:
    keys = within(found.functions, functions_within(request.actor.reach))
    return {
        "text": f"Functions selected: {len(keys)}; until {in_utc(found.expires_at)}.",
        "url": link(request, reverse("selection", args=[found.pk])),
        "id": found.pk,
        "made_at": found.made_at,
        "expires_at": found.expires_at,
        "functions": keys,
    }
