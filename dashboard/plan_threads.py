"""Requests that take long have threads of their own beside those of the pages, so that no page waits with them.

These are plans, which wait for AWS, and sign-ins, which hash a password.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from dashboard.request_limits import Application, Receive, Scope, Send, given
from functions_app.streams.plan_places import NO_PLACE, Asks, is_marked


class PlanThreads:
    """ASGI middleware: at most `threads` requests are in `plans`, so many stand in line, the rest are refused.

    Where `line` is not given as many as there are threads: who stands in it waits for one plan's length at most. What
    is posted to a path that `belongs` goes there, by its body where that decides; the refusal is a page, and all else
    is served by `pages`.
    """

    def __init__(
        self,
        pages: Application,
        plans: Application,
        threads: int,
        belongs: Callable[[str], Asks] = is_marked,
        line: int | None = None,
    ) -> None:
        self.pages, self.plans = pages, plans
        self.belongs = belongs
        self.places = asyncio.Semaphore(threads)
        self.under_way, self.most = 0, threads + (threads if line is None else line)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        asks = self._asks(scope)
        if callable(asks):
            whole = (await receive())["body"]  # as Intake gives it
            asks, receive = asks(whole), given(whole, receive)
        if not asks:
            await self.pages(scope, receive, send)
        elif self.under_way >= self.most:
            await self.pages({**scope, NO_PLACE: True}, receive, send)
        else:
            self.under_way += 1
            try:
                await self._plan(scope, receive, send)
            finally:
                self.under_way -= 1

    def _asks(self, scope: Scope) -> Asks:
        """Pages neither ask AWS while they are shown nor hash a password, so that only what is posted is looked up."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        return self.belongs(str(scope["path"]).removeprefix(scope.get("root_path", "")))

    async def _plan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it when its turn comes; not at all where the client has gone by then. The place is given back."""
        whole = (await receive())["body"]  # as Intake gives it
        turn = asyncio.ensure_future(self.places.acquire())
        try:
            if await _stays(turn, receive):
                await self.plans(scope, given(whole, receive), send)
        finally:
            if not turn.cancel() and not turn.cancelled():
                self.places.release()


async def _stays(turn: asyncio.Future[Any], receive: Receive) -> bool:
    """Whether somebody is still there to be answered when the turn comes."""
    left = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((turn, left), return_when=asyncio.FIRST_COMPLETED)
        return not left.done()
    finally:
        left.cancel()


async def _left(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
