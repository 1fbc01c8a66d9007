"""Takes a request in whole, within limits, before one of the few threads that render pages is given to it.

A client that sends its form a byte a minute would otherwise keep a thread for itself, and two of them the whole site.
What can be sent without a sign-in is small, what one address can hold is not all there is, and what a page or a bot
sends in daily work is never refused for what others hold.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from functions_app.domain import limits
from functions_app.domain.errors import DrydockError, Problem, details
from functions_app.streams import machines

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSALS = {
    408: "The request did not arrive in time.",
    413: "The request is too large. A payload to invoke with may have 6 MB; it is taken from operators alone.",
    415: "The request is written in another way than UTF-8.",
    431: "The address or the headers are too long.",
    503: "Too many large requests at this moment. Try again in a minute.",
}
_CHARSET = re.compile(rb"(?i)charset\s*=\s*(?![\"']?utf-?8[\"']?\s*(?:;|$))")
_NOT_ASCII = re.compile(rb"[^\x21-\x7e]")


class _RefusedError(Exception):
    """The request is not passed on; its argument is the HTTP status."""


async def _none_may(_scope: Scope) -> bool:
    return False


class Intake:
    """ASGI middleware: limits on head, body and time; a body passed on is complete, its length is known.

    `large_may_come` says whether a body larger than a form is due there, from who sends it. DrydockError: nobody knows.
    """

    def __init__(
        self,
        application: Application,
        large_may_come: Callable[[Scope], Awaitable[bool]] = _none_may,
        within: float = limits.BODY_WITHIN,
    ) -> None:
        self.application = application
        self.large_may_come = large_may_come
        self.within = within
        self.held: Counter[str] = Counter()  # bytes by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        # Django could not tell X_Forwarded_Proto, which proxies let through, from X-Forwarded-Proto, which they set.
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        length = len(scope.get("raw_path") or b"") + sum(len(name) + len(value) for name, value in headers)
        body, address = bytearray(), _address(scope)
        try:
            if length + len(scope["query_string"]) > limits.HEAD:
                raise _RefusedError(431)
            if any(_CHARSET.search(value) for name, value in headers if name == b"content-type"):
                raise _RefusedError(415)  # Django would decode by it, and Python knows encodings that are no text
            names = {name for name, _ in headers}
            if names & {b"content-length", b"transfer-encoding"}:
                await self._take(scope, dict(headers).get(b"content-length", b""), receive, body)
                known = {b"content-length", b"transfer-encoding"}
                headers = [(name, value) for name, value in headers if name not in known]
                headers.append((b"content-length", str(len(body)).encode()))
            query = _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], scope["query_string"])
            scope = {**scope, "headers": headers, "query_string": query}
            await self.application(scope, given(bytes(body), receive), send)
        except _RefusedError as refused:
            await _refuse(scope, send, refused.args[0])
        except DrydockError as error:
            await _refuse(scope, send, error.problem.code.http_status, error.problem)
        finally:
            self._hold(address, -_beyond_small(len(body)))
        return None

    async def _take(self, scope: Scope, announced: bytes, receive: Receive, body: bytearray) -> None:
        length, address = int(announced[:18]) if announced.isdigit() else 0, _address(scope)
        try:
            async with asyncio.timeout(self.within):
                limit, more = await self._limit(scope, length, limits.BODY), True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _RefusedError(408)
                    before, more = _beyond_small(len(body)), message.get("more_body", False)
                    body += message.get("body", b"")
                    self._hold(address, _beyond_small(len(body)) - before)
                    if len(body) > limits.SMALL_BODY and self._is_full(address):
                        raise _RefusedError(503)
                    limit = await self._limit(scope, len(body), limit)
        except TimeoutError:
            raise _RefusedError(408) from None

    async def _limit(self, scope: Scope, length: int, limit: int) -> int:
        """The limit for a body that has grown, or is said to grow, so long; who sends it is asked for once."""
        if length <= limit:
            return limit
        if limit == limits.LARGE_BODY or length > limits.LARGE_BODY or not await self.large_may_come(scope):
            raise _RefusedError(413)
        return limits.LARGE_BODY

    def _hold(self, address: str, bytes_more: int) -> None:
        self.held[address] += bytes_more
        if not self.held[address]:
            del self.held[address]

    def _is_full(self, address: str) -> bool:
        return self.held[address] > limits.ADDRESS_BODIES or self.held.total() > limits.HELD_BODIES


def _beyond_small(length: int) -> int:
    return length if length > limits.SMALL_BODY else 0


def _address(scope: Scope) -> str:
    """Who sends, as it is counted: a whole /64 of IPv6 is one subscriber."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        known = ip_address(host)
    except ValueError:
        return host
    return host if known.version == 4 else str(ip_network(f"{known}/64", strict=False))


def given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over the whole body first."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def take() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return take


async def _refuse(scope: Scope, send: Send, status: int, problem: Problem | None = None) -> None:
    """Answer before Django is asked: machines as JSON."""
    text = problem.message if problem else REFUSALS[status]
    body, content_type = text.encode(), b"text/plain; charset=utf-8"
    if machines.are_asked_for(str(scope["path"])):
        told = problem.details if problem else details(status, "Not accepted", text, retryable=status in (408, 503))
        body, content_type = json.dumps(told).encode(), machines.CONTENT_TYPE.encode()
    headers = [
        (b"content-type", content_type),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (machines.REQUEST_ID.lower().encode(), uuid4().hex.encode()),
        (b"connection", b"close"),
    ]
    headers += [(b"retry-after", b"60")] if status == 503 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
