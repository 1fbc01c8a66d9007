"""The API's streams: Django is asked first, by the one door, for who asks and for what; then they are held outside.

So a token, its rights and its rate, a parameter and a problem are here what they are at any endpoint.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from functions_app.domain import limits
from functions_app.streams.hub import Hub
from functions_app.streams.sign_in import Pass
from functions_app.streams.sources import Source
from functions_app.streams.stream_places import StreamPlaces
from functions_app.streams.watcher import Watcher

CONTENT_TYPE = "text/event-stream"
_RUN, EVENTS = re.compile(r"/api/v1/runs/\d{1,18}/events"), "/api/v1/events"
ADMISSION = "drydock.admission"  # in the ASGI scope of a request whose stream is held, once it is admitted
_LEFT_OUT = (b"content-length", b"cache-control", b"etag")  # of Django's answer
_HEADERS = [
    (b"cache-control", b"no-store, no-transform"),  # a proxy that compresses would hold lines back
    (b"x-accel-buffering", b"no"),
]

Message = dict[str, Any]
Send = Callable[[Message], Any]
Receive = Callable[[], Awaitable[Message]]
Django = Callable[[Message, Receive, Any], Awaitable[None]]


@dataclass
class Admission:
    """What Django says of a request for a stream: by what, of what, after which number; None: nothing yet.

    The same of an answer that has nothing to tell yet, and may be held: then nothing is passed.
    """

    places: StreamPlaces
    passed: Pass | None = None
    source: Source | None = None
    after: int = 0


def admit(request: HttpRequest, passed: Pass, source: Source, after: int) -> None:
    """Have the stream that is asked for held. Raises NoPlace. Without us before Django it ends at once, unbegun."""
    admission: Admission | None = request.META.get("asgi.scope", {}).get(ADMISSION)
    if admission is not None:
        admission.places.take(passed, limits.TOKENS_STREAMS)
        admission.passed, admission.source, admission.after = passed, source, after


def nothing_yet(request: HttpRequest, source: Source, after: int) -> None:
    """Have an answer held, where that is asked for, until the source has something after a number."""
    admission: Admission | None = request.META.get("asgi.scope", {}).get(ADMISSION)
    if admission is not None:
        admission.source, admission.after = source, after


def is_stream(scope: Message) -> bool:
    """Whether a stream of the API is asked for."""
    path = str(scope["path"])
    if scope["method"] != "GET" or not (path == EVENTS or _RUN.fullmatch(path)):
        return False
    accepted = next((value for name, value in scope["headers"] if name.lower() == b"accept"), b"")
    return path != EVENTS or takes_stream(accepted.decode("latin-1"))


def takes_stream(accepted: str) -> bool:
    """Whether this header, Accept, asks for events as they come, and not for a page of them."""
    return accepted.partition(",")[0].partition(";")[0].strip().lower() == CONTENT_TYPE


class ApiStreams:
    """Holds the streams that Django admitted."""

    def __init__(self, django: Django, hub: Hub, places: StreamPlaces) -> None:
        self._django, self._hub, self._places = django, hub, places

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; what is not admitted is answered by Django alone."""
        told: list[Message] = []

        async def hear(message: Message) -> None:
            told.append(message)

        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"if-none-match"]
        admission = Admission(self._places)
        try:
            await self._django({**scope, "headers": headers, ADMISSION: admission}, receive, hear)
            if admission.passed is None or admission.source is None:
                for message in told:
                    await send(message)
                return
            await send({**told[0], "headers": [*_kept(told[0]["headers"]), *_HEADERS]})
            watcher = Watcher(send, admission.after, admission.passed)
            await self._hub.hold(admission.source, watcher, receive)
        finally:
            if admission.passed is not None:
                self._places.give_back(admission.passed)


def _kept(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _LEFT_OUT]
