"""`/tokens`: one's own tokens, made, rotated and revoked; an administrator's are everybody's."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from functions_app import clock
from functions_app.api import matching
from functions_app.api.idempotency import NOT_KEPT
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Answer, Body, Listed, Page, Paged, Told, in_utc, link, page_of, paged
from functions_app.domain.text import counted
from functions_app.domain.tokens import TokenScope
from functions_app.models import ApiToken
from functions_app.services.inventory.tables.people import token_table
from functions_app.services.people import tokens
from functions_app.services.people.tokens import Made, Wanted
from functions_app.streams.table_download import table_answer

router = Router(tags=["people"])


class NewToken(Body):
    """What a token is to be."""

    name: str = Field(max_length=60)
    scopes: list[TokenScope] = Field(min_length=1, max_length=len(TokenScope))
    days: int = Field(tokens.USUAL.days, ge=1, le=tokens.LONGEST.days)
    accounts: list[str] | None = Field(None, max_length=200, description="AWS's numbers; null: all")
    functions: list[str] | None = Field(None, max_length=50, description="names with * and ?; null: all")
    networks: list[str] = Field([], max_length=50, description="10.0.0.0/8; none: from anywhere")


class TokenLine(Schema):
    """A token without its text, which nobody knows any more."""

    id: int
    name: str
    person: str
    beginning: str
    scopes: list[str]
    accounts: list[str] | None
    functions: list[str] | None
    networks: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenPage(Page):
    """A page of tokens, the newest first."""

    tokens: list[TokenLine]


class TokenAnswer(Told):
    """One token; `token` is its text, told this once where it was made."""

    about: TokenLine
    token: str = ""


@router.get("/tokens", response=TokenPage)
def list_tokens(request: ApiRequest, filters: Query[Paged]) -> Listed:
    """One's own tokens; for an administrator everybody's."""
    if filters.format:
        return table_answer(request, token_table(request.actor))
    asked = {"of": "tokens"}
    found = tokens.listed(request.actor, page_of(filters.cursor, asked))
    text, at = f"{counted(found.total, 'token')}.", (found.number, found.last)
    told = paged(request, reverse("tokens"), text, asked, total=found.total, at=at, as_of=OWN)
    return {**told, "tokens": [_line(row) for row in found.rows]}


@router.post("/tokens", response={201: TokenAnswer})
def make_token(request: ApiRequest, response: HttpResponse, body: NewToken) -> Answer:
    """Make a token that acts for the same person; with one of the scope admin, and no more than it may itself."""
    wanted = Wanted(body.name, body.scopes, body.days, body.accounts, body.functions, " ".join(body.networks))
    return _made(request, response, tokens.make(wanted, request.actor), "made")


@router.get("/tokens/{int:pk}", response=TokenAnswer)
def get_token(request: ApiRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One token without its text; its ETag is what a change names in If-Match."""
    row = tokens.find(pk, request.actor)
    matching.tell(response, _facts(row))
    return _told(request, row, "is over" if row.revoked_at or row.expires_at <= clock.now() else "is good")


@router.post("/tokens/{int:pk}/rotate", response={201: TokenAnswer})
def rotate_token(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Give a token another text; the one it had is worth nothing from now on. A token may do so with itself."""
    return _made(request, response, tokens.rotate(pk, request.actor, request.token.pk, _still(request)), "rotated")


@router.post("/tokens/{int:pk}/revoke", response=TokenAnswer)
def revoke_token(request: ApiRequest, pk: int) -> dict[str, Any]:
    """End a token at once."""
    return _told(request, tokens.revoke(pk, request.actor, request.token.pk, _still(request)), "revoked")


def _still(request: ApiRequest) -> Callable[[ApiToken], None]:
    return lambda row: matching.require(request, _facts(row))


def _facts(row: ApiToken) -> Mapping[str, Any]:
    """What changes by hand; not when it was used last."""
    return {name: value for name, value in _line(row).items() if name != "used_at"}


def _made(request: ApiRequest, response: HttpResponse, made: Made, what: str) -> Answer:
    setattr(response, NOT_KEPT, True)
    return Status(201, {**_told(request, made.row, what), "token": made.text})


def _told(request: ApiRequest, row: ApiToken, what: str) -> dict[str, Any]:
    text = f"Token {row.name} ({row.beginning}…) {what}; until {in_utc(row.expires_at)}."
    return {"text": text, "url": link(request, reverse("tokens")), "about": _line(row)}


def _line(row: ApiToken) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in TokenLine.model_fields if name not in ("id", "person")}
    return {**own, "id": row.pk, "person": row.person.get_username()}
