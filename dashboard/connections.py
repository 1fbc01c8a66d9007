"""The web server's connections: one that sends no whole head soon, or one without end, is cut; files set their number.

`uvicorn --http dashboard.connections:Connection`. A connection costs an open file from its first moment on, and
uvicorn lets it wait for its head for ever: a thousand half-sent heads would take all files of a process, and then
every connection is reset and no file of ours can be opened. It also keeps heads of any length, before anybody sees
them: sixty megabytes of short headers would be a gigabyte here, one long header would hold everybody up for seconds.
"""

import asyncio
import logging
import resource
import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from functions_app.domain import limits

WANTED_FILES = 16_384  # for 10,000 streams and what else a process opens
OWN_FILES = 128  # kept for the database, Redis and the log
COMPLAIN_EVERY = 60.0  # seconds
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 15\r\n"
    b"connection: close\r\ncontent-length: 52\r\n\r\nToo many connections are open. Try again in a moment"
)

log = logging.getLogger(__name__)


def raise_file_limit() -> int:
    """How many files this process may open, after raising it as far as the system lets it and as is any good."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft != resource.RLIM_INFINITY and soft < WANTED_FILES:
        log.warning(
            "Only %d files may be open (ulimit -n), so that %d connections are taken at a time. Raise the hard limit "
            "to %d for 10,000 live pages.",
            soft,
            soft - OWN_FILES,
            WANTED_FILES,
        )
    return WANTED_FILES if soft == resource.RLIM_INFINITY else soft


class _Complaints:
    """Says each thing once a minute, with how often it happened."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._times: dict[str, int] = {}

    def say(self, text: str) -> None:
        """Log `text`, which holds a place for the number."""
        self._times[text] = self._times.get(text, 0) + 1
        now = time.monotonic()
        if now - self._said.get(text, -COMPLAIN_EVERY) >= COMPLAIN_EVERY:
            self._said[text] = now
            log.warning(text, self._times.pop(text))


class Connection(HttpToolsProtocol):
    """uvicorn's own, with a deadline for heads and a limit of connections."""

    head_within = limits.HEAD_WITHIN
    headless: dict["Connection", None] = {}  # of this process, the oldest first
    complaints = _Complaints()
    room = raise_file_limit() - OWN_FILES
    _deadline: asyncio.TimerHandle | None = None
    _endless = 0  # bytes since a head was whole or a body grew

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """asyncio's door."""
        super().connection_made(transport)
        if len(self.connections) > self.room:
            self.complaints.say("%d connections were refused: as many are open as files allow (ulimit -n).")
            transport.write(FULL)
            transport.close()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """asyncio's door."""
        self._endless += len(data)
        super().data_received(data)
        if self._endless > limits.ENDLESS:
            self._cut("%d connections were cut that sent a head, or trailers, without end.")

    def on_body(self, body: bytes) -> None:
        """A part of a body: whoever takes it in has limits of its own."""
        self._endless = 0
        super().on_body(body)

    def on_message_begin(self) -> None:
        """The first byte of a request, which may be a later one of this connection."""
        super().on_message_begin()
        if self not in self.headless:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._endless = 0
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's door."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self.headless[self] = None
        self._deadline = self.loop.call_later(self.head_within, self._cut)
        if len(self.headless) > limits.HEADLESS:
            next(iter(self.headless))._cut()

    def _cut(self, complaint: str = "%d connections were cut that sent no whole head of a request in time.") -> None:
        self.complaints.say(complaint)
        self._stop_waiting()
        self.transport.abort()

    def _stop_waiting(self) -> None:
        self.headless.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
