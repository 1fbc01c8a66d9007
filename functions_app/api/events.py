"""`/runs/ID/events` and `/events`: what a run does, and what happens at all, as it happens (docs/api.md)."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Query, QueryEx, Router, Schema

from functions_app import eventlog
from functions_app.api.answers import problem
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link, one_of
from functions_app.domain.events import EventKind
from functions_app.services.inventory.runs.run_state import reached_run
from functions_app.streams.api_streams import CONTENT_TYPE, admit, nothing_yet, takes_stream
from functions_app.streams.event_source import Events, told
from functions_app.streams.hub import RETRY
from functions_app.streams.run_sources import RunJson
from functions_app.streams.sign_in import Pass
from functions_app.streams.sources import Source
from functions_app.streams.stream_places import NoPlace

router = Router(tags=["runs"])
LAST = "Last-Event-ID"
AGAIN_IN = 15  # seconds
_LAST = [{"in": "header", "name": LAST, "required": False, "schema": {"type": "string"}}]
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("event", "id", "data")}}
_STREAM = {CONTENT_TYPE: {"schema": _EVENT}}  # of each event, as OpenAPI 3.2 has it
STREAM: dict[str, Any] = {"parameters": _LAST, "responses": {200: {"description": "Events", "content": _STREAM}}}
After = Annotated[int, QueryEx(ge=0, lt=10**18)]


class Filters(Schema):
    """After which event, and of which kinds; several mean any of them."""

    after: int | None = Field(
        None, ge=0, lt=10**18, description="a number; none: the newest, as a stream those to come"
    )
    kind: list[str] = Field([], max_length=len(EventKind), description=", ".join(EventKind))


class EventLine(Schema):
    """Something that happened: in which run, to which function (its ARN) where it is of one."""

    sequence: int
    at: datetime
    kind: str
    text: str
    run: int | None
    function: str
    facts: dict[str, Any]


class EventPage(Told):
    """Events, oldest first; `last` is what to ask after next, `more` whether there are more by now."""

    last: int
    more: bool
    events: list[EventLine]


@router.get("/runs/{int:pk}/events", openapi_extra=STREAM)
def get_run_events(request: ApiRequest, pk: int, after: After = 0) -> HttpResponse:
    """What a run does, until it has ended: its log after a line's number, line by line, and how it stands."""
    return _opened(request, RunJson(reached_run(pk, request.actor).pk), _after(request, after))


@router.get("/events", response=EventPage, openapi_extra={"parameters": _LAST})
def list_events(request: ApiRequest, filters: Query[Filters]) -> Any:
    """What happened: runs that begin, wait for somebody and end, aliases that move, bases that are released.

    With `Accept: text/event-stream` they come as they happen.
    """
    for kind in filters.kind:
        one_of("kind", kind, frozenset(EventKind))
    eventlog.number_new()
    last, streams = eventlog.last(), takes_stream(request.headers.get("Accept", ""))
    after = _after(request, filters.after if filters.after is not None else last if streams else _newest(last))
    if after > last or 0 < after < eventlog.first() - 1:
        gone = f"Events after {after} are not kept any more." if after < last else f"There is no event {after} yet."
        return problem(410, gone, "Read the lists anew, and go on with the newest events.", code="expired")
    source = Events(request.actor.reach, frozenset(filters.kind))
    if streams:
        return _opened(request, source, after)
    found = eventlog.read(after, eventlog.PAGE, last)
    shown = [told(line) for line in found if source.shows(line)]
    reached_to = found[-1].sequence if found else after
    if not shown and reached_to == last:
        nothing_yet(request, source, last)
    return {
        "text": shown[-1]["text"] if shown else f"Nothing happened after {after}.",
        "url": link(request, reverse("runs")),
        "last": reached_to,
        "more": reached_to < last,
        "events": shown,
    }


def _newest(last: int) -> int:
    return max(0, last - eventlog.PAGE)


def _after(request: ApiRequest, asked: int) -> int:
    """Where to go on: the header of who comes back counts before the address."""
    last = request.headers.get(LAST, "")
    return int(last) if last.isascii() and last.isdigit() and len(last) < 19 else asked


def _opened(request: ApiRequest, source: Source, after: int) -> HttpResponse:
    try:
        admit(request, Pass(token=request.token.secret_hash), source, after)
    except NoPlace as full:
        what = f"This token has {full.own} streams open here." if full.own else "Too many streams are open here."
        refused = problem(429, what, "Close some, or ask again later.", code="throttled", retryable=True)
        refused["Retry-After"] = str(AGAIN_IN)
        return refused
    return HttpResponse(RETRY, content_type=CONTENT_TYPE)
