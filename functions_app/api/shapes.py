"""What answers are made of: the line and the link that each has, pages with a cursor, filters that are understood."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Field, QueryEx, Schema
from ninja.responses import Status
from pydantic import ConfigDict

from functions_app import clock
from functions_app.domain.csv_text import utc_text
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.moments import WRITTEN, moment
from functions_app.domain.text import LINE, storable

Answer = Status[dict[str, Any]]
Own = Literal["is_own"]
OWN: Final[Own] = "is_own"  # a list that is Drydock's own, as of its answer: on a request, that it was asked for one
Listed = dict[str, Any] | HttpResponseBase
AS_CSV = "csv: the whole list as a table, without pages"
Format = Annotated[Literal["", "csv"], QueryEx(description=AS_CSV)]
Cursor = Annotated[str, QueryEx(max_length=200)]


class Paged(Schema):
    """Where a list goes on, or that all of it is wanted as a table."""

    cursor: str = Field("", max_length=200)
    format: Literal["", "csv"] = Field("", description=AS_CSV)

    def chosen(self) -> dict[str, Any]:
        """The filters, which a cursor is bound to."""
        return self.dict(exclude={"cursor", "format"})


Id = Annotated[int, Field(ge=1, lt=10**18)]  # of something here: more digits than a database takes are none's


class Body(Schema):
    """What comes in: a member that nobody knows is refused, since whoever sent it meant something by it."""

    model_config = ConfigDict(extra="forbid")


class Told(Schema):
    """Every answer: one line of at most 140 characters, and where a person sees the same."""

    text: str = Field(json_schema_extra={"maxLength": LINE})  # cut on the way out, not refused
    url: str = Field(json_schema_extra={"format": "uri"})


class Page(Told):
    """One page of a list: the whole has `total`; `next` is the cursor of the page after it, or null."""

    total: int
    as_of: datetime | None = Field(description="the age of what is shown; null: it was never read")
    next: str | None


class ProblemAnswer(Schema):
    """What is wrong with a request, or with what it asked for (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    next_step: str
    text: str
    code: str
    aws_code: str
    request_id: str
    retryable: bool
    choices: list[str] = []


def given(body: Body) -> dict[str, Any]:
    """The members that were sent, their texts without what nobody can see or store."""
    sent = body.dict(exclude_unset=True)
    return {name: storable(value).strip() if isinstance(value, str) else value for name, value in sent.items()}


def link(request: HttpRequest, path: str) -> str:
    """The address of a page, whole."""
    return request.build_absolute_uri(path)


def cursor_of(number: int, filters: Mapping[str, Any]) -> str:
    """The cursor of a page of these filters."""
    text = json.dumps([number, _digest(filters)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page_of(cursor: str, filters: Mapping[str, Any]) -> int:
    """The page that a cursor names; 1 where there is none. Raises INVALID for one of other filters, or of nobody."""
    if not cursor:
        return 1
    try:
        number, digest = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        number, digest = 0, ""
    if not isinstance(number, int) or not 1 <= number < 10**6 or digest != _digest(filters):
        raise DrydockError(
            Code.INVALID,
            "This cursor is not of this list with these filters.",
            next_step="Ask for the first page, and go on with the cursor that it gives.",
        )
    return number


def _digest(filters: Mapping[str, Any]) -> str:
    text = json.dumps(sorted(filters.items()), default=str)
    return sha256(f"{settings.SECRET_KEY} {text}".encode()).hexdigest()[:16]


def paged(
    request: HttpRequest,
    address: str,
    text: str,
    asked: Mapping[str, Any],
    *,
    total: int,
    at: tuple[int, int],
    as_of: datetime | Own | None,
) -> dict[str, Any]:
    """What every page of a list tells beside its rows: `at` is its number and the last one's, `asked` its filters."""
    number, last = at
    if as_of is OWN:
        setattr(request, OWN, True)
    return {
        "text": text,
        "url": link(request, address),
        "total": total,
        "as_of": clock.now() if as_of is OWN else as_of,
        "next": cursor_of(number + 1, asked) if number < last else None,
    }


def in_utc(time: datetime | None) -> str:
    """A time as texts have it: 2026-11-29T04:10:00Z."""
    return utc_text(time) if time else "never"


def one_of(name: str, value: str, allowed: Mapping[str, Any] | tuple[str, ...] | frozenset[str]) -> str:
    """A filter's value. Raises INVALID, naming what it may be."""
    if value and value not in allowed:
        raise DrydockError(
            Code.INVALID, f"There is no {name} {value[:60]!r}.", next_step=f"It is one of {', '.join(sorted(allowed))}."
        )
    return value


def written(name: str, value: str) -> str:
    """A filter's moment. Raises INVALID, saying how it is written."""
    if value and moment(value, clock.now()) is None:
        raise DrydockError(Code.INVALID, f"{value[:60]!r} is no moment for {name}.", next_step=f"Write {WRITTEN}.")
    return value
