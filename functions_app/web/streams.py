"""The live stream of a run as a raw ASGI application in front of Django: `/events/runs/<id>`.

It asks the database once who is there, then holds neither a thread nor a connection while it waits. Lines are numbered,
the number is the event's id: with Last-Event-ID (or ?after=) a stream goes on exactly where it broke.
"""

import asyncio
import re
import signal
import threading
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from functions_app.models import Run
from functions_app.web.hub import Hub
from functions_app.web.live import Feed, Watcher

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Any]
Scope = dict[str, Any]
Django = Callable[[Scope, Receive, Send], Awaitable[None]]
PATH = re.compile(r"/events/runs/(\d{1,18})")
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),  # a proxy that compresses would hold lines back
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Application:
    """Serves the streams and the server's start and stop; everything else is Django's."""

    def __init__(self, django: Django) -> None:
        self.django = django
        self.hub: Hub | None = None
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith("/events/"):
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            await self.django(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._end_streams_on(signal.SIGTERM, signal.SIGINT)
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.hub is not None:
                    self.hub.close()
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
            return await _refuse(send, 405, "Streams are read with GET.")
        if found is None:
            return await _refuse(send, 404, "There is no such stream.")
        if self.stopping:
            return await _refuse(send, 503, "The server stops.")
        if self.hub is None:
            self.hub = Hub()
        run_id = int(found[1])
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        may, exists = await self.hub.read(_admit, headers.get(b"cookie", ""), run_id)
        if not may:
            return await _refuse(send, 401, "Sign in to watch runs.")
        if not exists:
            return await _refuse(send, 404, f"There is no run {run_id}.")
        after = _position(headers.get(b"last-event-id"), scope.get("query_string", b""))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._watch(self.hub, run_id, Watcher(send, after), receive)
        return None

    async def _watch(self, hub: Hub, run_id: int, watcher: Watcher, receive: Receive) -> None:
        await watcher.write(b"retry: 1000\n\n")
        feed = hub.join(run_id, watcher)
        catching_up = asyncio.create_task(_begin(feed, watcher))
        catching_up.add_done_callback(feed.broken)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            catching_up.cancel()
            hub.leave(feed, watcher)


async def _begin(feed: Feed, watcher: Watcher) -> None:
    await feed.ready.wait()
    await feed.catch_up(watcher)


def _admit(cookies: str, run_id: int) -> tuple[bool, bool]:
    """Whether the session in these cookies is somebody's, and whether the run exists."""
    request = HttpRequest()
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return False, False
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if not get_user(request).is_authenticated:
        return False, False
    return True, Run.objects.filter(pk=run_id).exists()


def _position(last_event_id: str | None, query: bytes) -> int:
    """The last line the watcher has: from the header of a resume, else from ?after=."""
    given = last_event_id or parse_qs(query.decode("latin-1")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"hx-reswap", b"none"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
