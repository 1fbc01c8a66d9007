"""A run's log as a file, page by page as its reader takes it: a slow one holds a page, neither a thread nor the log.

Through Django the pages that a slow reader had not taken yet waited in memory, and threads of the pages made them.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import Error

from functions_app import runlog
from functions_app.domain.database_troubles import AWAY
from functions_app.services.engine.database_state import recent, trouble_of

PATH = re.compile(r"/runs/(\d{1,18})/log\.txt")
PIECE = 64 * 1024  # bytes that are sent before a slow reader is waited for
PAGE = 250  # lines: 2 MB of the longest

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class LogDownload:
    """Asks Django by HEAD who may have it and how it is called, then sends the lines itself."""

    def __init__(self, django: Callable[..., Awaitable[None]], read: Callable[..., Awaitable[Any]]) -> None:
        self._django, self._read = django, read
        self._turn = asyncio.Semaphore(1)  # one page at a time, whoever downloads: streams and pages go on beside

    async def serve(
        self, run_id: int, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer a GET."""
        found = False

        async def answer(message: Message) -> None:
            nonlocal found
            if message["type"] == "http.response.start":
                found = message["status"] == 200
            if not found or message["type"] == "http.response.start":
                await send(message)

        await self._django({**scope, "method": "HEAD"}, receive, answer)
        if not found:
            return
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._send_lines(run_id, send, gone)
        except Error as error:  # the file breaks off, and the browser says so
            recent.found(trouble_of(error) or AWAY, "a log that is downloaded", error)
        finally:
            gone.cancel()

    async def _send_lines(self, run_id: int, send: Send, gone: "asyncio.Future[None]") -> None:
        after = 0
        while not gone.done():
            async with self._turn:
                after, body = await self._read(text_page, run_id, after)
            if not body:
                return await send({"type": "http.response.body", "body": b"", "more_body": False})
            for start in range(0, len(body), PIECE):
                await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
        return None


async def _until_gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def text_page(run_id: int, after: int) -> tuple[int, bytes]:
    """The lines after `after` as text, and the number of the last; nothing after the last. One query."""
    lines = runlog.read(run_id, after, PAGE)
    return (lines[-1].sequence if lines else after), "".join(map(as_text, lines)).encode()


def as_text(line: runlog.Line) -> str:
    """A line as the file has it."""
    source = "" if line.source == "drydock" else f"[{line.source}] "
    return f"{line.sequence} {line.at.isoformat()} {line.level.upper():7} {source}{line.text}\n"
