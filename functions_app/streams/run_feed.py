"""The feed of one source, mostly a live run: each batch is rendered once, whatever the number of watchers.

The same bytes go to every watcher that keeps up. One that does not, or that has just come, reads the database until it
has caught up. Redis only hints: sequence numbers show a gap, the database fills it.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from django.db import Error

from functions_app import runlog
from functions_app.streams.frames import event
from functions_app.streams.sources import Snapshot, Source, replay
from functions_app.streams.watcher import Watcher

POLL = 1.0  # seconds between two looks at the database while Redis, or the database itself, is away
PACE = 0.01  # least seconds between two frames of one source, and for each watcher of it:
PACE_EACH = 0.000_01  # a broadcast to 2,000 takes about 15 ms: pauses leave room for everything else
AT_ONCE = 512 * 1024  # characters of new lines that go to every watcher in one piece; of more each reads pages
PAGES_KEPT = 16_000_000  # bytes of replay pages per feed: many watchers that come back at once ask for the same

log = logging.getLogger(__name__)


class Feed:
    """One watched source: its lines in order, its rendered state, and who watches."""

    def __init__(self, source: Source, read: Callable[..., Awaitable[Any]]) -> None:
        self.source = source
        self.watchers: set[Watcher] = set()
        self.sequence = 0  # every live watcher has the lines up to here
        self.state: Snapshot | None = None
        self.ready = asyncio.Event()
        self.inbox: list[runlog.Line] = []
        self.stale = True  # the database has news
        self._read = read
        self._wake = asyncio.Event()
        self._pages: OrderedDict[tuple[int, int], asyncio.Task[tuple[int, bytes]]] = OrderedDict()
        self._catching_up: set[asyncio.Task[None]] = set()
        self.task = asyncio.create_task(self._follow())
        self.task.add_done_callback(self.broken)

    @property
    def over(self) -> bool:
        """Whether it has ended and all its lines are known (or there is no such thing any more)."""
        if self.state is None:
            return self.ready.is_set()
        return self.state.ended and self.sequence >= self.state.line_count

    def receive(self, message: bytes) -> None:
        """Take in what was published: lines, or the news that the run changed."""
        lines = runlog.decode(message)
        self.inbox.extend(lines)
        self.stale = self.stale or not lines
        self._wake.set()

    def read_soon(self) -> None:
        """Read the database soon."""
        self.stale = True
        self._wake.set()

    def broken(self, task: asyncio.Task[None]) -> None:
        """A defect must not leave watchers hanging: they are told to come back, and the server's log has it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: its stream broke", self.source, exc_info=error)
            self._spawn(self.say_goodbye())

    async def say_goodbye(self) -> None:
        """End every stream of it; who watches comes back, with where they were."""
        bye = event("bye", "come back")
        await asyncio.gather(*(watcher.write(bye, more=False) for watcher in self.watchers), return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._catching_up.add(task)
        task.add_done_callback(self._catching_up.discard)

    async def _follow(self) -> None:
        while True:
            try:
                await self._step()
            except Error:
                log.exception("%s: the stream could not read the database, trying again", self.source)
                self.stale = True
                await asyncio.sleep(POLL)
                continue
            self.ready.set()
            if self.over:
                self._let_read_pages()
                return
            await asyncio.sleep(PACE + PACE_EACH * len(self.watchers))
            await self._wake.wait()

    async def _step(self) -> None:
        """Tell the watchers what is new."""
        self._wake.clear()
        stale, self.stale = self.stale, False
        body = b""
        if stale:
            before, self.state = self.state, await self._read(self.source.snapshot)
            if self.state is None:
                return
            if before is None:  # whoever watches already replays from the database
                self.sequence = max(self.sequence, self.state.line_count)
            elif self.state.frames != before.frames:
                body = self.state.frames
        upto = self.state.line_count if self.state and stale else 0
        lines = await self._new_lines(upto)
        if sum(len(line.text) for line in lines) > AT_ONCE:  # who does not read would hold a copy of all of it
            self.sequence = lines[-1].sequence
            self._let_read_pages()
            return
        if lines:
            body = await self._read(self.source.frame, lines) + body
            self.sequence = lines[-1].sequence
        if body:
            self._broadcast(body)

    async def _new_lines(self, upto: int) -> list[runlog.Line]:
        """The lines after `sequence`, without a gap: from the messages, and from the database where one is missing."""
        waiting, self.inbox = self.inbox, []
        found = {line.sequence: line for line in waiting if line.sequence > self.sequence}
        last = max([*found, upto, self.sequence])
        missing = last - self.sequence - len(found)
        if missing:
            lines: list[runlog.Line] = await self._read(self.source.read, self.sequence, runlog.PAGE, last)
            if lines and lines[-1].sequence < last:
                self.read_soon()
            return lines
        return [found[number] for number in sorted(found)]

    def _broadcast(self, body: bytes) -> None:
        for watcher in [watcher for watcher in self.watchers if watcher.live]:
            unfinished = watcher.push_safely(body)
            watcher.after, watcher.state = self.sequence, self.state
            if unfinished is not None:
                watcher.live = False  # too slow: from now on it reads the database, until it has caught up
                self._catch_up_later(watcher, unfinished)

    def heartbeat(self) -> None:
        """Send a comment to everybody who is up to date."""
        self._broadcast(b":\n\n")

    def _catch_up_later(self, watcher: Watcher, first: Awaitable[None]) -> None:
        async def go_on() -> None:
            await first
            await self.catch_up(watcher)

        self._spawn(go_on())

    async def catch_up(self, watcher: Watcher) -> None:
        """Bring one watcher to where the feed is, from the database; from then on it is live, or has its end."""
        while not watcher.gone:
            if watcher.after < self.sequence:
                watcher.after, body = await self._page(watcher.after, self.sequence)
                await watcher.write(body)
            elif watcher.state is not self.state and self.state is not None:
                watcher.state = self.state
                await watcher.write(self.state.frames)
            elif self.over:
                return await self._end(watcher)
            else:
                watcher.live = True
                return None
        return None

    async def _page(self, after: int, until: int) -> tuple[int, bytes]:
        """A page of lines as a frame, and its last number; asked for by many at once it is read and rendered once."""
        key = (after, min(until, after + runlog.PAGE))
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = asyncio.ensure_future(self._read(replay, self.source, *key))
            while len(self._pages) > 1 and sum(map(_size, self._pages.values())) > PAGES_KEPT:
                self._pages.popitem(last=False)
        try:
            return await asyncio.shield(page)
        except Error:
            self._pages.pop(key, None)
            raise

    def _let_read_pages(self) -> None:
        """Have every live watcher read the database for what is new."""
        for watcher in [watcher for watcher in self.watchers if watcher.live]:
            watcher.live = False
            self._catch_up_later(watcher, asyncio.sleep(0))

    async def _end(self, watcher: Watcher) -> None:
        count = self.state.line_count if self.state else 0
        await watcher.write(event("eof", json.dumps({"lines": count}), identity=count), more=False)


def _size(page: "asyncio.Task[tuple[int, bytes]]") -> int:
    read = page.done() and not page.cancelled() and page.exception() is None
    return len(page.result()[1]) if read else 0
