"""The hub of one web process: one subscription to Redis, one feed per watched source and one of the fleet.

While Redis is away the database is asked every second; while it is there now and then, because a published message may
be lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import redis.asyncio
from django.conf import settings
from django.db import Error, close_old_connections

from functions_app import eventlog, runlog
from functions_app.models import Run
from functions_app.services.inventory.runs.run_list import stranded_run
from functions_app.streams.event_source import Events
from functions_app.streams.fleet_feed import FleetFeed
from functions_app.streams.frames import event
from functions_app.streams.run_feed import POLL, Feed
from functions_app.streams.run_sources import RunSource, of_run
from functions_app.streams.sign_in import NOBODYS, still_good
from functions_app.streams.sources import Snapshot, Source
from functions_app.streams.watcher import Watcher

BELT = 3.0  # seconds between two looks at the database while Redis is there: a published message may be lost
GUARD = 5.0  # seconds between two looks at who is still signed in
RETRY = b"retry: 1000\n\n"  # milliseconds, after which whoever was cut off comes back
HEARTBEAT = 15.0  # seconds; a comment keeps proxies from closing a quiet stream
READERS = 4  # threads that read the database and render for all streams

log = logging.getLogger(__name__)
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Hub:
    """All feeds of this process, fed by one subscription to Redis and a look at the database now and then."""

    def __init__(self) -> None:
        self.feeds: dict[Source, Feed] = {}
        self.fleet: FleetFeed | None = None
        self.redis_up = False
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="streams")
        self._tasks: list[asyncio.Task[None]] = []
        self._ends: set[asyncio.Task[None]] = set()  # of streams whose people may watch no more

    async def read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that uses the database, in a thread that gives its connection back."""

        def call() -> Any:
            close_old_connections()
            try:
                return function(*args)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def hold(self, source: Source | None, watcher: Watcher, receive: Receive) -> None:
        """Tell a watcher of a source (None: of the fleet) until it goes away, or there is nothing more to tell."""
        await watcher.write(RETRY)
        feed = self.join_fleet(watcher) if source is None else self.join(source, watcher)
        catching_up = asyncio.create_task(_begin(feed, watcher))
        catching_up.add_done_callback(feed.broken)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            catching_up.cancel()
            self.leave(feed, watcher)

    def join(self, source: Source, watcher: Watcher) -> Feed:
        """Have a watcher fed; the first one of a source starts its feed, the first of all the subscription."""
        self._start()
        feed = self.feeds.get(source)
        if feed is None or _broke(feed):  # who watches a feed that broke was told to come back: not to the same one
            feed = self.feeds[source] = Feed(source, self.read)
        feed.watchers.add(watcher)
        return feed

    def join_fleet(self, watcher: Watcher) -> FleetFeed:
        """Have a watcher told of the fleet's changes."""
        self._start()
        if self.fleet is None or _broke(self.fleet):
            self.fleet = FleetFeed(self.read)
        self.fleet.watchers.add(watcher)
        return self.fleet

    def _start(self) -> None:
        if not self._tasks:
            works = (self._subscribe, self._compare, self._beat, self._guard)
            self._tasks = [asyncio.create_task(_supervised(work)) for work in works]

    @property
    def _every_feed(self) -> list[Feed | FleetFeed]:
        return [*self.feeds.values(), *([self.fleet] if self.fleet else [])]

    def leave(self, feed: Feed | FleetFeed, watcher: Watcher) -> None:
        """Forget a watcher; with the last one its feed ends."""
        watcher.gone, watcher.live = True, False
        feed.watchers.discard(watcher)
        if feed.watchers:
            return
        if feed is self.fleet:
            feed.task.cancel()
            self.fleet = None
        elif isinstance(feed, Feed) and self.feeds.get(feed.source) is feed:
            feed.task.cancel()
            del self.feeds[feed.source]

    async def say_goodbye(self) -> None:
        """End every stream, so that the server can stop at once; browsers come back, with where they were."""
        ends = [asyncio.create_task(feed.say_goodbye()) for feed in self._every_feed]
        if ends:
            await asyncio.wait(ends, timeout=1)

    def close(self) -> None:
        """Let go of everything; the server stops."""
        for task in [*self._tasks, *(feed.task for feed in self._every_feed)]:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _subscribe(self) -> None:
        """Follow Redis for ever; after a loss every feed reads the database."""
        while True:
            client = redis.asyncio.Redis.from_url(settings.ENV.redis_url, socket_timeout=None, socket_connect_timeout=2)
            try:
                async with client, client.pubsub() as messages:
                    await messages.psubscribe(runlog.CHANNELS, runlog.FLEET, eventlog.CHANNEL)
                    async for message in messages.listen():
                        self._hear_safely(message)
            except (redis.RedisError, OSError) as error:
                if self.redis_up:
                    log.warning("Redis is away, streams poll the database: %s", error)
            self.redis_up = False
            await asyncio.sleep(POLL / 2)

    def _hear_safely(self, message: dict[str, Any]) -> None:
        """Hear it; one that nobody can read, of another version of Drydock or of anybody, costs itself alone."""
        try:
            self._hear(message)
        except (ValueError, TypeError, AttributeError, LookupError):
            log.exception("a message on the broker could not be read; the streams look into the database instead")
            for feed in self._every_feed:
                feed.read_soon()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            self.redis_up = True
            for feed in self._every_feed:
                feed.read_soon()
        elif message["type"] == "pmessage" and message["channel"] == eventlog.CHANNEL.encode():
            self._read_events()
        elif message["type"] == "pmessage":
            if self.fleet is not None:
                self.fleet.read_soon()  # a run's news may be that it began or ended
            if message["channel"] != runlog.FLEET.encode():
                for feed_of in self._feeds_of(int(message["channel"].rsplit(b":", 1)[1])):
                    feed_of.receive(message["data"])

    def _read_events(self) -> None:
        for source, feed in self.feeds.items():
            if isinstance(source, Events):
                feed.read_soon()

    def _feeds_of(self, run_id: int) -> list[Feed]:
        return [self.feeds[source] for source in of_run(run_id) if source in self.feeds]

    async def _compare(self) -> None:
        """Compare every watched run with the database: one query for all of them; the fleet's feed does it itself."""
        last = monotonic()
        while True:
            await asyncio.sleep(POLL)
            if self.redis_up and monotonic() - last < BELT:
                continue
            last = monotonic()
            if self.fleet is not None:
                self.fleet.read_soon()
            self._read_events()
            runs = {source.run_id for source in self.feeds if isinstance(source, RunSource)}
            if not runs:
                continue
            try:
                found = await self.read(_positions, runs)
            except Error:
                log.exception("the streams could not read the database, trying again")
                continue
            for run in found:
                for feed in self._feeds_of(run.pk):
                    if feed.state and is_behind(feed.state, feed.sequence, run):
                        feed.read_soon()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for feed in self._every_feed:
                feed.heartbeat()

    async def _guard(self) -> None:
        """End the streams of people who signed out, changed their password or were shut out since they were opened."""
        while True:
            await asyncio.sleep(GUARD)
            try:
                await self._end_strangers()
            except Error:
                log.exception("it could not be read who is still signed in, trying again")

    async def _end_strangers(self) -> None:
        watchers = [each for feed in self._every_feed for each in feed.watchers if each.passed != NOBODYS]
        good = await self.read(still_good, {watcher.passed for watcher in watchers})
        strangers = [each for each in watchers if each.passed not in good]
        # One that reads nothing is waited for by nobody: others would stay signed in for as long as it likes.
        ends = [asyncio.create_task(watcher.write(event("bye", "sign in"), more=False)) for watcher in strangers]
        self._ends.update(ends)
        for end in ends:
            end.add_done_callback(self._ended)

    def _ended(self, end: "asyncio.Task[None]") -> None:
        self._ends.discard(end)
        if not end.cancelled():
            end.exception()  # of a connection that broke meanwhile


async def _begin(feed: Feed | FleetFeed, watcher: Watcher) -> None:
    await feed.ready.wait()
    await feed.catch_up(watcher)


async def _supervised(work: Callable[[], Awaitable[None]]) -> None:
    """Do it for ever: a defect in it is logged, and it begins anew."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a part of the live streams broke and begins anew: %s", work.__name__)
        await asyncio.sleep(POLL)


def _broke(feed: Feed | FleetFeed) -> bool:
    """Whether a defect ended it: it will never tell anything more."""
    return feed.task.done() and not feed.task.cancelled() and feed.task.exception() is not None


def _positions(run_ids: Collection[int]) -> list[Run]:
    return list(Run.objects.filter(pk__in=run_ids).only("revision", "line_count", "status", "lease_until", "wake_at"))


def is_behind(state: Snapshot, sequence: int, run: Run) -> bool:
    """Whether the database has news; that a worker is silent is news that nobody writes there."""
    news = state.revision != run.revision or state.stranded != (stranded_run(run) is not None)
    return news or sequence < run.line_count
