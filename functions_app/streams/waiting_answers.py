"""`?wait=25` of the API: an answer about a run is held until it has ended, and holds neither thread nor connection.

Django is asked first, for who asks and for what; then the run's feed tells when it has ended; then Django is asked for
the run as it stands. What is started by a POST is waited for as what is looked at.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from functions_app.domain import limits
from functions_app.streams.hub import NO_SESSION, Hub
from functions_app.streams.run_feed import Watcher

API = "/api/v1/"
RUN = re.compile(rf"{API}runs/(\d{{1,18}})")
_ENDED = re.compile(rb'"ended":\s*true')
_LEFT_OUT = (b"content-length", b"content-type", b"idempotency-key", b"if-none-match")  # of the request, once answered

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Django = Callable[[Message, Receive, Any], Awaitable[None]]


ASK_AGAIN = "Drydock-Ask-Again"  # a header: the run only prepares what was asked for


def waits(scope: Message) -> bool:
    """Whether a request asks for an answer to be held."""
    return str(scope["path"]).startswith(API) and b"wait=" in scope.get("query_string", b"")


class WaitingAnswers:
    """Holds answers, so many at one time; of more each is given at once."""

    def __init__(self, django: Django, hub: Hub) -> None:
        self._django, self._hub = django, hub
        self.held = 0

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request. What is not understood is Django's to refuse."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in asked if name == "wait"]
        seconds = int(given[0]) if len(given) == 1 and re.fullmatch(r"[0-9]{1,2}", given[0]) else 0
        if not 1 <= seconds <= limits.LONGEST_ANSWER or not _is_about_a_run(scope):
            return await self._django(scope, receive, send)
        query = urlencode([(name, value) for name, value in asked if name != "wait"]).encode()
        scope = {**scope, "query_string": query}
        if self.held >= limits.HELD_ANSWERS:
            return await self._django(scope, receive, send)
        self.held += 1
        try:
            await self._hold(scope, _Body(receive), seconds, send)
        finally:
            self.held -= 1
        return None

    async def _hold(self, scope: Message, body: "_Body", seconds: int, send: Send) -> None:
        """Ask, wait for the run, and tell how it stands. Where a run only prepares what was asked for, ask again."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while True:
            first = await self._ask(scope, body.again())
            run_id = _run_of(scope, first)
            if run_id is None:
                return await _pass_on(first, send)
            ended = await self._has_ended(run_id, until - clock(), body.receive)
            prepares = ASK_AGAIN.lower().encode() in dict(first[0]["headers"])
            if not prepares:
                held_in_vain = not ended and scope["method"] == "GET"
                return await (_pass_on(first, send) if held_in_vain else self._tell(scope, run_id, send))
            if not ended or clock() >= until:
                return await _pass_on(first, send)

    async def _tell(self, scope: Message, run_id: int, send: Send) -> None:
        """The run as it stands."""
        path = f"{API}runs/{run_id}"
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _LEFT_OUT]
        again = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        await self._django({**scope, **again}, _nothing_more(), send)

    async def _ask(self, scope: Message, receive: Receive) -> list[Message]:
        told: list[Message] = []

        async def keep(message: Message) -> None:
            told.append(message)

        await self._django(scope, receive, keep)
        return told

    async def _has_ended(self, run_id: int, seconds: float, receive: Receive) -> bool:
        """Whether the run ended within so many seconds; who goes away meanwhile is not waited for."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def hear(message: Message) -> None:
            if not message.get("more_body", False) and not ended.done():
                ended.set_result(None)

        watcher = Watcher(hear, 10**18, NO_SESSION, 0)  # past every line: only the end is of interest
        feed = self._hub.join(run_id, watcher)
        catching_up = asyncio.create_task(_catch_up(feed, watcher))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({ended, gone}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
            return ended.done()
        finally:
            gone.cancel()
            catching_up.cancel()
            self._hub.leave(feed, watcher)


async def _catch_up(feed: Any, watcher: Watcher) -> None:
    await feed.ready.wait()
    await feed.catch_up(watcher)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Body:
    """A request's body, which can be read as often as the request is asked."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self._read: list[Message] = []

    def again(self) -> Receive:
        """The body from its beginning; after its end, what its sender does."""
        kept = list(self._read)

        async def receive() -> Message:
            if kept:
                return kept.pop(0)
            whole = bool(self._read) and not self._read[-1].get("more_body", False)
            message = await self.receive()
            if not whole:
                self._read.append(message)
            return message

        return receive


def _is_about_a_run(scope: Message) -> bool:
    """Whether something is started, or a run is looked at."""
    return scope["method"] == "POST" or (scope["method"] == "GET" and RUN.fullmatch(str(scope["path"])) is not None)


def _nothing_more() -> Receive:
    """A request without a body, whose sender stays."""
    bodies = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if bodies:
            return bodies.pop()
        await asyncio.Event().wait()
        raise AssertionError("unreachable: nobody sets it")

    return receive


def _run_of(scope: Message, told: list[Message]) -> int | None:
    """The run that is to be waited for: what was started, or what is looked at and has not ended."""
    start = next((message for message in told if message["type"] == "http.response.start"), None)
    if start is None:
        return None
    if start["status"] == 202:
        location = dict(start["headers"]).get(b"location", b"").decode("latin-1")
        found = RUN.fullmatch(location)
        return int(found[1]) if found else None
    looked = RUN.fullmatch(str(scope["path"])) if scope["method"] == "GET" and start["status"] == 200 else None
    body = b"".join(message.get("body", b"") for message in told)
    return int(looked[1]) if looked and not _ENDED.search(body) else None


async def _pass_on(told: list[Message], send: Send) -> None:
    for message in told:
        await send(message)
