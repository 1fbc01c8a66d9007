"""Requests that wait for AWS have threads of their own beside those of the pages, so that no page waits with them."""

import asyncio
from typing import Any

from dashboard.request_limits import Application, Receive, Scope, Send, given
from functions_app.web.waiting import NO_PLACE, is_marked


class PlanThreads:
    """ASGI middleware: at most `threads` requests wait for AWS in `plans`, as many stand in line, the rest are refused.

    So who stands in line waits for one plan's length at most. The refusal is a page, and all else is served by `pages`.
    """

    def __init__(self, pages: Application, plans: Application, threads: int) -> None:
        self.pages, self.plans = pages, plans
        self.places = asyncio.Semaphore(threads)
        self.under_way, self.most = 0, 2 * threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        if not _waits_for_aws(scope):
            await self.pages(scope, receive, send)
        elif self.under_way >= self.most:
            await self.pages({**scope, NO_PLACE: True}, receive, send)
        else:
            self.under_way += 1
            try:
                await self._plan(scope, receive, send)
            finally:
                self.under_way -= 1

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


def _waits_for_aws(scope: Scope) -> bool:
    """Pages never ask AWS while they are shown, so that only what is posted is looked up."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    return is_marked(str(scope["path"]).removeprefix(scope.get("root_path", "")))


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
