"""Files that are made as their reader takes them: a slow one holds a piece, neither a thread nor the whole.

Through Django the pieces that a slow reader had not taken yet waited in memory, and threads of the pages made them. So
Django is asked who may have the file and how it is called, and the pieces are sent from here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from django.db import Error

from functions_app.domain.database_troubles import AWAY
from functions_app.services.engine.database_state import recent, trouble_of

PIECE = 64 * 1024  # bytes that are sent before a slow reader is waited for

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Django = Callable[[Message, Receive, Any], Awaitable[None]]
Pieces = Callable[[], Iterator[bytes] | None]  # of what Django has said may be had; None: it has answered all


class Downloads:
    """Sends what Django allows, one piece at a time, whoever downloads: streams and pages go on beside."""

    def __init__(self, django: Django, read: Callable[..., Awaitable[Any]]) -> None:
        self._django, self._read = django, read
        self._turn = asyncio.Semaphore(1)

    async def serve(self, scope: Message, receive: Receive, send: Send, pieces: Pieces) -> None:
        """Answer a GET: as Django does, but where it says 200 and there are pieces, those are the body."""
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message["status"] == 200
                await send(message)
            elif not started or pieces() is None:
                await send(message)

        await self._django(scope, receive, answer)
        found = pieces() if started else None
        if found is None:
            return
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._send(found, send, gone)
        except Error as error:  # the file breaks off, and the browser says so
            recent.found(trouble_of(error) or AWAY, "a download", error)
        finally:
            gone.cancel()

    async def _send(self, pieces: Iterator[bytes], send: Send, gone: "asyncio.Future[None]") -> None:
        while not gone.done():
            async with self._turn:
                body = await self._read(next, pieces, b"")
            if not body:
                return await send({"type": "http.response.body", "body": b"", "more_body": False})
            for start in range(0, len(body), PIECE):
                await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
        return None


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
