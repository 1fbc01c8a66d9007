"""The feed of every open page: one small event when the fleet changed, the number of running runs or of troubles did.

A page that hears it reads itself anew (static/live.js); nothing of the fleet travels here.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from django.db import Error

from functions_app.domain.runs import ACTIVE
from functions_app.models import FleetRevision, Run
from functions_app.services.engine import pulses
from functions_app.streams.frames import event
from functions_app.streams.run_feed import POLL
from functions_app.streams.watcher import Watcher

PACE = 0.5  # least seconds between two looks: a sync may change the fleet many times a second

log = logging.getLogger(__name__)
State = tuple[int, int, int]  # revision, active runs, parts of Drydock that are away


class FleetFeed:
    """Who watches the fleet, and what they know of it."""

    def __init__(self, read: Callable[..., Awaitable[Any]]) -> None:
        self.watchers: set[Watcher] = set()
        self.state: State | None = None
        self.ready = asyncio.Event()
        self._read = read
        self._wake = asyncio.Event()
        self._wake.set()
        self._unfinished: set[asyncio.Task[None]] = set()
        self.task = asyncio.create_task(self._follow())
        self.task.add_done_callback(self.broken)

    def read_soon(self) -> None:
        """Read the database soon."""
        self._wake.set()

    def broken(self, task: asyncio.Task[None]) -> None:
        """A defect must not leave pages stale: they are told to come back, and the server's log has it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the fleet's stream broke", exc_info=error)
            self._spawn(self.say_goodbye())

    async def catch_up(self, watcher: Watcher) -> None:
        """Tell a new watcher how things stand, at once: the page it is on may be older than its stream."""
        watcher.live = True
        if self.state is not None:
            await watcher.write(_frame(self.state))

    async def say_goodbye(self) -> None:
        """End every stream; browsers come back."""
        bye = event("bye", "come back")
        await asyncio.gather(*(watcher.write(bye, more=False) for watcher in self.watchers), return_exceptions=True)

    def heartbeat(self) -> None:
        """Send a comment to everybody."""
        self._broadcast(b":\n\n")

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                state = await self._read(read_state)
            except Error:
                log.exception("the fleet's stream could not read the database, trying again")
                self._wake.set()
                await asyncio.sleep(POLL)
                continue
            if state != self.state:
                self.state = state
                self._broadcast(_frame(state))
            self.ready.set()
            await asyncio.sleep(PACE)

    def _broadcast(self, body: bytes) -> None:
        for watcher in [watcher for watcher in self.watchers if watcher.live]:
            unfinished = watcher.push_safely(body)
            if unfinished is not None:
                watcher.live = False
                self._spawn(self._finish(watcher, unfinished))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)

    async def _finish(self, watcher: Watcher, unfinished: Awaitable[None]) -> None:
        """Wait for a slow connection, then tell it where things stand by now."""
        await unfinished
        if not watcher.gone:
            await self.catch_up(watcher)


def read_state() -> State:
    """The fleet's revision, how many runs are active, how many parts are away. Two queries."""
    revision = FleetRevision.objects.filter(pk=1).values_list("revision", flat=True).first() or 0
    active = Run.objects.filter(status__in=sorted(ACTIVE), parent=None).count()
    return revision, active, len(pulses.remembered())


def _frame(state: State) -> bytes:
    revision, running, troubles = state
    news = {"revision": revision, "running": running, "troubles": troubles}
    return event("fleet", json.dumps(news), identity=revision)
