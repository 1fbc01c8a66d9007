"""`?wait=25` of the API: an answer about a run is held until it has ended, and holds neither thread nor connection.

Django is asked first, for who asks and for what; then the run's feed tells when it has ended; then Django is asked for
the run as it stands. What is started by a POST is waited for as what is looked at. With `wait_for=settled` a run is
waited for until it goes on no more without a person, too (domain.runs.is_settled).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from functions_app.domain import limits
from functions_app.streams.api_streams import ADMISSION, EVENTS, Admission
from functions_app.streams.hub import Hub
from functions_app.streams.run_sources import RunJson
from functions_app.streams.sign_in import NOBODYS
from functions_app.streams.sources import Snapshot, Source
from functions_app.streams.stream_places import StreamPlaces
from functions_app.streams.watcher import Watcher

API = "/api/v1/"
RUN = re.compile(rf"{API}runs/(\d{{1,18}})")
DONE, SETTLED = "done", "settled"  # what `wait_for` may say
NAMES = ("wait", "wait_for")  # of parameters that are understood here
PAST_ALL = 10**18  # lines: only how a run stands is of interest
_ENDED = re.compile(rb'"ended":\s*true')
_LEFT_OUT = (b"content-length", b"content-type", b"idempotency-key", b"if-none-match")  # of the request, once answered

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Enough = Callable[[Message, Snapshot | None], bool]
Django = Callable[[Message, Receive, Any], Awaitable[None]]


ASK_AGAIN = "Drydock-Ask-Again"  # a header: the run only prepares what was asked for


def waits(scope: Message) -> bool:
    """Whether a request asks for an answer to be held."""
    return str(scope["path"]).startswith(API) and b"wait" in scope.get("query_string", b"")


@dataclass(frozen=True)
class Wish:
    """How long to wait, and for what."""

    seconds: int = 0  # 0: it is not understood, or nothing is waited for
    settled: bool = False


def read_wish(asked: Sequence[tuple[str, str]]) -> Wish:
    """What a query says of waiting: `wait` (25 where it says only for what), and `wait_for`, done or settled."""
    waits = [value for name, value in asked if name == "wait"]
    wants = [value for name, value in asked if name == "wait_for"]
    if len(waits) > 1 or len(wants) > 1 or not {*wants} <= {DONE, SETTLED}:
        return Wish()
    given = (waits or [str(limits.LONGEST_ANSWER) if wants else ""])[0]
    seconds = int(given) if re.fullmatch(r"[0-9]{1,2}", given) else 0
    return Wish(seconds if seconds <= limits.LONGEST_ANSWER else 0, wants == [SETTLED])


class WaitingAnswers:
    """Holds answers, so many at one time; of more each is given at once."""

    def __init__(self, django: Django, hub: Hub) -> None:
        self._django, self._hub = django, hub
        self.held = 0

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request. What is not understood is Django's to refuse."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        wish, of_events = read_wish(asked), _is_about_events(scope) and not any(name == "wait_for" for name, _ in asked)
        if not wish.seconds or not (of_events or _is_about_a_run(scope)):
            return await self._django(scope, receive, send)
        query = urlencode([(name, value) for name, value in asked if name not in NAMES]).encode()
        scope = {**scope, "query_string": query}
        if self.held >= limits.HELD_ANSWERS:
            return await self._django(scope, receive, send)
        self.held += 1
        try:
            hold = self._hold_events if of_events else self._hold
            await hold(scope, _Body(receive), wish, send)
        finally:
            self.held -= 1
        return None

    async def _hold(self, scope: Message, body: "_Body", wish: Wish, send: Send) -> None:
        """Ask, wait for the run, and tell how it stands. Where a run only prepares what was asked for, ask again."""
        clock = asyncio.get_running_loop().time
        until = clock() + wish.seconds
        while True:
            first = await self._ask(scope, body.again())
            run_id = _run_of(scope, first)
            if run_id is None:
                return await _pass_on(first, send)
            prepares = ASK_AGAIN.lower().encode() in dict(first[0]["headers"])
            enough = _settles if wish.settled and not prepares else _ends
            ended = await self._came(RunJson(run_id), PAST_ALL, until - clock(), body.receive, enough)
            if not prepares:
                held_in_vain = not ended and scope["method"] == "GET"
                return await (_pass_on(first, send) if held_in_vain else self._tell(scope, run_id, send))
            if not ended or clock() >= until:
                return await _pass_on(first, send)

    async def _hold_events(self, scope: Message, body: "_Body", wish: Wish, send: Send) -> None:
        """Ask for events, and where there is none yet, again once there is."""
        admission = Admission(StreamPlaces())
        told = await self._ask({**scope, ADMISSION: admission}, body.again())
        source, after = admission.source, admission.after
        if source is not None and await self._came(source, after, wish.seconds, body.receive, _tells):
            return await self._django(scope, body.again(), send)
        return await _pass_on(told, send)

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

    async def _came(self, source: Source, after: int, seconds: float, receive: Receive, enough: Enough) -> bool:
        """Whether enough was told within so many seconds; who goes away meanwhile is not waited for."""
        came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def hear(message: Message) -> None:
            if enough(message, feed.state) and not came.done():
                came.set_result(None)

        watcher = Watcher(hear, after, NOBODYS)
        feed = self._hub.join(source, watcher)
        catching_up = asyncio.create_task(_catch_up(feed, watcher))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({came, gone}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
            return came.done()
        finally:
            gone.cancel()
            catching_up.cancel()
            self._hub.leave(feed, watcher)


def _ends(message: Message, _: Snapshot | None) -> bool:
    return not message.get("more_body", False)


def _settles(message: Message, state: Snapshot | None) -> bool:
    return _ends(message, state) or (state is not None and state.settled)


def _tells(message: Message, _: Snapshot | None) -> bool:
    """Whether it is an event, and no sign that the server is there. It stops: that is told as it stands, too."""
    return b"data: " in message["body"]


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


def _is_about_events(scope: Message) -> bool:
    return scope["method"] == "GET" and str(scope["path"]) == EVENTS


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
