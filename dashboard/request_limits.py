"""Takes a request in whole, within limits, before one of the few threads that render pages is given to it.

A client that sends its form a byte a minute would otherwise keep a thread for itself, and two of them the whole site.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEAD_LIMIT = 32 * 1024  # bytes of address and headers
BODY_LIMIT = 9 * 1024 * 1024  # bytes; a payload to invoke with may have 6 MB
HELD_LIMIT = 128 * 1024 * 1024  # bytes of all bodies that are being taken in at one time
WITHIN = 60.0  # seconds for a whole body
REFUSALS = {
    408: "The request did not arrive in time.",
    413: "The request is too large.",
    415: "The request is written in another way than UTF-8.",
    431: "The address or the headers are too long.",
    503: "Too many large requests at this moment. Try again in a minute.",
}
_CHARSET = re.compile(rb"(?i)charset\s*=\s*(?![\"']?utf-?8[\"']?\s*(?:;|$))")
_NOT_ASCII = re.compile(rb"[^\x21-\x7e]")


class _RefusedError(Exception):
    """The request is not passed on; its argument is the HTTP status."""


class Intake:
    """ASGI middleware: limits on head, body and time; a body passed on is complete, its length is known."""

    def __init__(self, application: Application, within: float = WITHIN) -> None:
        self.application = application
        self.within = within
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's door."""
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        # Django could not tell X_Forwarded_Proto, which proxies let through, from X-Forwarded-Proto, which they set.
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        length = len(scope.get("raw_path") or b"") + sum(len(name) + len(value) for name, value in headers)
        body = bytearray()
        try:
            if length + len(scope["query_string"]) > HEAD_LIMIT:
                raise _RefusedError(431)
            if any(_CHARSET.search(value) for name, value in headers if name == b"content-type"):
                raise _RefusedError(415)  # Django would decode by it, and Python knows encodings that are no text
            names = {name for name, _ in headers}
            if names & {b"content-length", b"transfer-encoding"}:
                await self._take(dict(headers).get(b"content-length", b""), receive, body)
                known = {b"content-length", b"transfer-encoding"}
                headers = [(name, value) for name, value in headers if name not in known]
                headers.append((b"content-length", str(len(body)).encode()))
            query = _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], scope["query_string"])
            scope = {**scope, "headers": headers, "query_string": query}
            await self.application(scope, given(bytes(body), receive), send)
        except _RefusedError as refused:
            await _refuse(send, refused.args[0])
        finally:
            self.held -= len(body)
        return None

    async def _take(self, announced: bytes, receive: Receive, body: bytearray) -> None:
        if announced.isdigit() and int(announced[:18]) > BODY_LIMIT:
            raise _RefusedError(413)
        try:
            async with asyncio.timeout(self.within):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _RefusedError(408)
                    chunk, more = message.get("body", b""), message.get("more_body", False)
                    body += chunk
                    self.held += len(chunk)
                    if len(body) > BODY_LIMIT:
                        raise _RefusedError(413)
                    if self.held > HELD_LIMIT:
                        raise _RefusedError(503)
        except TimeoutError:
            raise _RefusedError(408) from None


def given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over the whole body first."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def take() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return take


async def _refuse(send: Send, status: int) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSALS[status].encode()})
