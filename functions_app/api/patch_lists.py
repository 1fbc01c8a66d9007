"""`/patch-lists`: what is live on older releases of a base, frozen as a plan that names each, and changes nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router, Schema
from ninja.responses import Status

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Answer, Body, Format, Listed, Told, in_utc, link
from functions_app.domain.changes.patching.patch_lists import PatchList
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Account, BaseStream, Plan
from functions_app.services.changes import patch_list
from functions_app.services.inventory.tables.bases import patch_table
from functions_app.services.people import access, selections
from functions_app.streams.table_download import table_answer

router = Router(tags=["changes"])


class NewList(Body):
    """Of which base; one release or one account of it, where that is wanted."""

    base: int = Field(ge=1, lt=10**18, description="its id")
    release: int | None = Field(None, ge=1, lt=10**18, description="id of the release that is to be left")
    account: str = Field("", max_length=80, description="the account's name; empty: all")
    selection: UUID | None = Field(None, description="of your own: those of it that are behind")


class EntryLine(Schema):
    """An alias (empty: $LATEST) that is to be brought forward: from where to where, and by which way."""

    function_id: int
    function: str
    arn: str
    account: str
    region: str
    owner: str
    managed_by: str
    alias: str
    version: str
    digest: str
    platform: str
    from_release: str
    through: str
    overdue: bool
    production: bool
    to_release: str
    to_digest: str
    way: str
    why: str
    warning: str


class ListAnswer(Told):
    """The frozen list."""

    id: UUID
    stream: str
    made_at: datetime
    expires_at: datetime
    functions: int
    entries: list[EntryLine]


@router.post("/patch-lists", response={201: ListAnswer})
def make_patch_list(request: ApiRequest, response: HttpResponse, body: NewList) -> Answer:
    """Freeze what is behind now; each of it is patched by its own `POST /patches`."""
    access.require_operator(request.actor, "patch_list.plan", f"base {body.base}")
    access.require_reach(request.actor, None)
    stream = BaseStream.objects.filter(pk=body.base).first()
    account = Account.objects.filter(name=body.account).first() if body.account else None
    if stream is None or (body.account and account is None):
        raise DrydockError(Code.NOT_FOUND, "There is no such base or account.", next_step="Look in /bases, /accounts.")
    chosen = selections.load(body.selection, request.actor) if body.selection else None
    made = patch_list.plan(
        stream,
        request.actor,
        release_id=body.release,
        account_id=account.pk if account else None,
        functions=chosen.functions if chosen else None,
    )
    response["Location"] = reverse("api:get_patch_list", args=[made.pk])
    return Status(201, _told(request, *patch_list.load(made.pk)))


@router.get("/patch-lists/{uuid:plan_id}", response=ListAnswer)
def get_patch_list(request: ApiRequest, plan_id: UUID, format: Format = "") -> Listed:
    """A list as it was frozen."""
    access.require_reach(request.actor, None)
    stored, made = patch_list.load(plan_id)
    return table_answer(request, patch_table(f"patch-{plan_id}", made)) if format else _told(request, stored, made)


def _told(request: ApiRequest, stored: Plan, made: PatchList) -> dict[str, Any]:
    return {
        "text": f"{counted(made.functions, 'function')} to bring forward to the current {made.stream}; until "
        f"{in_utc(stored.expires_at)}.",
        "url": link(request, reverse("base-plan", args=[stored.pk])),
        "id": stored.pk,
        "stream": made.stream,
        "made_at": made.made_at,
        "expires_at": stored.expires_at,
        "functions": made.functions,
        "entries": [{**entry.as_json(), "warning": entry.warning} for entry in made.entries],
    }
