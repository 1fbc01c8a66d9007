"""One open stream, and how bytes get to it."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any

from functions_app.streams.sign_in import Pass
from functions_app.streams.sources import Snapshot

PIECE = 64 * 1024  # bytes of a page that are sent before a slow watcher is waited for: it holds no copy of the rest

log = logging.getLogger(__name__)
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


@coroutine
def _resume(waiting: Any, started: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
    """Carry on, as a task, a coroutine that was started by hand and waits for something."""
    while True:
        value = yield waiting
        try:
            waiting = started.send(value)
        except StopIteration:
            return


class Watcher:
    """One open stream. While it is `live` it has everything up to its feed's sequence number."""

    def __init__(self, send: Send, after: int, passed: Pass) -> None:
        self.send = send
        self.after = after
        self.passed = passed
        self.live = False
        self.state: Snapshot | None = None
        self.gone = False
        self._within = False  # a frame that is sent in pieces

    async def write(self, body: bytes, *, more: bool = True) -> None:
        """Send bytes; waits while the connection is full."""
        if self.gone:
            return
        if not more:
            self.gone, self.live = True, False
            # Within a frame that is not sent whole there is no other; browsers forget what breaks off.
            await self.send({"type": "http.response.body", "body": b"" if self._within else body, "more_body": False})
            return
        for start in range(0, len(body), PIECE):
            self._within = start + PIECE < len(body)
            await self.send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
            if self.gone:
                return

    def push(self, body: bytes) -> Awaitable[None] | None:
        """Send bytes without a task of its own; when the connection is full, what must be awaited to finish.

        2,000 tasks that wake for every frame cost more than the frames: a send that need not wait is over at once.
        """
        started = self.send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            waiting = started.send(None)
        except StopIteration:
            return None
        return _resume(waiting, started)

    def push_safely(self, body: bytes) -> Awaitable[None] | None:
        """The same; a connection that breaks ends this watcher, not those who watch beside it."""
        try:
            return self.push(body)
        except Exception:
            log.exception("a watcher's connection broke")
            self.gone, self.live = True, False
            return None
