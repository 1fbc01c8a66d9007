"""The live streams as a raw ASGI application in front of Django: `/events/runs/<id>` and, on any page, `/events/fleet`.

It asks the database once who is there, then holds neither a thread nor a connection while it waits. Lines are numbered,
the number is the event's id: with Last-Event-ID (or ?after=) a stream goes on exactly where it broke.
"""

import asyncio
import re
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import Error
from django.http.request import split_domain_port, validate_host

from functions_app.domain.database_troubles import AWAY
from functions_app.services.engine.database_state import recent, trouble_of
from functions_app.streams.api_streams import ApiStreams, is_stream
from functions_app.streams.downloads import Downloads
from functions_app.streams.health_probe import HealthProbe
from functions_app.streams.hub import Hub
from functions_app.streams.log_download import PATH as LOG
from functions_app.streams.log_download import log_pieces
from functions_app.streams.run_sources import RunPage
from functions_app.streams.sign_in import Pass, admit
from functions_app.streams.stream_places import NoPlace, StreamPlaces
from functions_app.streams.table_download import TablePlace
from functions_app.streams.waiting_answers import WaitingAnswers, waits
from functions_app.streams.watcher import Watcher

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Any]
Scope = dict[str, Any]
Django = Callable[[Scope, Receive, Send], Awaitable[None]]
PATH = re.compile(r"/events/(?:fleet|runs/(\d{1,18}))")
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),  # a proxy that compresses would hold lines back
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class Application:
    """Serves the streams and the server's start and stop; everything else is Django's."""

    def __init__(self, django: Django) -> None:
        self.django = django
        self.hub: Hub | None = None
        self.downloads: Downloads | None = None
        self.held: WaitingAnswers | None = None
        self.health: HealthProbe | None = None  # from the server's start on
        self.stopping = False
        self.places = StreamPlaces()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/healthz" and self.health is not None:
            await _tell_health(self.health, scope, send)
        elif scope["type"] == "http" and scope["path"].startswith("/events/"):
            await self._stream(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and (log := LOG.fullmatch(scope["path"])):
            lines = log_pieces(int(log[1]))
            await self._downloads().serve({**scope, "method": "HEAD"}, receive, send, lambda: lines)
        elif scope["type"] == "http" and is_stream(scope) and not self.stopping:
            self.hub = self.hub or Hub()
            await ApiStreams(self.django, self.hub, self.places).serve(scope, receive, send)
        elif scope["type"] == "http" and TablePlace.may_be_asked(scope):
            place = TablePlace(scope)
            await self._downloads().serve(place.scope, receive, send, place.pieces)
        elif scope["type"] == "http" and waits(scope):
            self.hub = self.hub or Hub()
            self.held = self.held or WaitingAnswers(self.django, self.hub)
            await self.held.serve(scope, receive, send)
        elif scope["type"] == "http":
            await self.django(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def _downloads(self) -> Downloads:
        self.hub = self.hub or Hub()
        self.downloads = self.downloads or Downloads(self.django, self.hub.read)
        return self.downloads

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._end_streams_on(signal.SIGTERM, signal.SIGINT)
                self.health = HealthProbe()
                await send({"type": "lifespan.startup.complete"})
            else:
                for part in (self.hub, self.health):
                    if part is not None:
                        part.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _end_streams_on(self, *signals: signal.Signals) -> None:
        """End the streams before the server's own handler waits for them (it would wait for ever)."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in signals:
            servers = signal.getsignal(number)

            def stop(number: int, frame: Any, servers: Any = servers) -> None:
                loop.call_soon_threadsafe(self._stop)
                if callable(servers):
                    servers(number, frame)

            signal.signal(number, stop)

    def _stop(self) -> None:
        self.stopping = True
        if self.hub is not None:
            self._goodbye = asyncio.ensure_future(self.hub.say_goodbye())

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = PATH.fullmatch(scope["path"])
        if scope["method"] != "GET":
            return await _answer(send, 405, "Streams are read with GET.")
        if found is None:
            return await _answer(send, 404, "There is no such stream.")
        if self.stopping:
            return await _answer(send, 503, "The server stops.")
        if self.hub is None:
            self.hub = Hub()
        run_id = int(found[1]) if found[1] else None
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not validate_host(split_domain_port(headers.get(b"host", ""))[0], settings.ALLOWED_HOSTS):
            return await _answer(send, 400, "Drydock does not answer to this host name.")
        try:
            person, session, exists = await self.hub.read(admit, headers.get(b"cookie", ""), run_id)
        except Error as error:
            trouble = trouble_of(error) or AWAY
            recent.found(trouble, "a stream", error)
            return await _answer(send, 503, f"{trouble.message} {trouble.next_step}")
        if not person:
            return await _answer(send, 401, "Sign in to watch.")
        if not exists:
            return await _answer(send, 404, f"There is no run {run_id}.")
        passed = Pass(person, session)
        try:
            self.places.take(passed, settings.ENV.streams_per_person)
        except NoPlace as full:
            return await _answer(send, 429, _full(full))
        after = _position(headers.get(b"last-event-id"), scope.get("query_string", b""))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *_transport_security()]})
            source = None if run_id is None else RunPage(run_id)
            await self.hub.hold(source, Watcher(send, after, passed), receive)
        finally:
            self.places.give_back(passed)
        return None


def _full(full: NoPlace) -> str:
    if full.own:
        return f"You have {full.own} live pages open here. Close some tabs."
    return "Too many live pages are open on this server. Try again in a minute."


async def _tell_health(health: HealthProbe, scope: Scope, send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        return await _answer(send, 405, "The state is read with GET.")
    status, text = health.answer(strict=scope.get("query_string", b"") == b"strict")
    return await _answer(send, status, text)


def _position(last_event_id: str | None, query: bytes) -> int:
    """The last line the watcher has: from the header of a resume, else from ?after=."""
    given = last_event_id or parse_qs(query.decode("latin-1")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


def _transport_security() -> list[tuple[bytes, bytes]]:
    """What Django's own answers say over HTTPS (RFC 6797)."""
    seconds = settings.SECURE_HSTS_SECONDS
    return [(b"strict-transport-security", b"max-age=%d; includeSubDomains; preload" % seconds)] if seconds else []


async def _answer(send: Send, status: int, text: str) -> None:
    """A short text: why there is no stream, or how things stand."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"hx-reswap", b"none"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        *_transport_security(),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
