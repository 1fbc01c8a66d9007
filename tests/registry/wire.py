"""Registries that misbehave below HTTP: a test plays the server's side of each connection byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from functions_app.registry.client import Registry
from functions_app.registry.requests import Limits

# Short enough for a test to wait for them, long enough for a busy machine.
QUICK = Limits(attempts=2, connect=2, silence=0.3, whole=0.6, in_all=5, crawl=0.3, crawl_bytes=4096, worth=64 * 1024)


@dataclass
class Wire:
    """A server that does with each connection what `play` does; `heads` are the requests, as they came."""

    url: str = ""
    play: Callable[["Turn"], None] = lambda _turn: None
    heads: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def open(self, limits: Limits = QUICK) -> Registry:
        """A client of it that notes its pauses instead of waiting."""
        return Registry("registry.example", self.url, limits=limits, pause=self.pauses.append)


@dataclass(frozen=True)
class Turn:
    """One request and the connection to answer it on; `number` counts from 0."""

    connection: socket.socket
    head: str
    number: int
    over: threading.Event

    def send(self, data: bytes) -> None:
        """Send these bytes as they are. Raises OSError when the client has had enough."""
        self.connection.sendall(data)

    def drip(self, data: bytes, every: float = 0.05) -> None:
        """Send them one at a time, until the client or the test has had enough."""
        for byte in data:
            if self.over.wait(every):
                return
            self.send(bytes([byte]))

    @property
    def start(self) -> int:
        """The first byte that is wanted: `Range: bytes=START-`."""
        _, found, rest = self.head.lower().partition("\r\nrange: bytes=")
        return int(rest.partition("-")[0]) if found else 0


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole answer; `length` says more or less than there is."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def part(body: bytes, start: int, end: int | None = None) -> bytes:
    """The answer to a Range from `start` on, of which only what stands before `end` is sent."""
    headers = f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}"
    return answer(body[start:end], "206 Partial Content", headers, length=len(body) - start)


@contextmanager
def serving() -> Iterator[Wire]:
    """The running server."""
    wire, over = Wire(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(0.05)
        thread = threading.Thread(target=_accept, args=(listener, wire, over), daemon=True)
        thread.start()
        yield wire
        over.set()
        thread.join(5)


def _accept(listener: socket.socket, wire: Wire, over: threading.Event) -> None:
    threads = []
    while not over.is_set():
        with suppress(TimeoutError):
            connection, _ = listener.accept()
            threads.append(threading.Thread(target=_play, args=(connection, wire, over), daemon=True))
            threads[-1].start()
    for thread in threads:
        thread.join(5)


def _play(connection: socket.socket, wire: Wire, over: threading.Event) -> None:
    with connection, suppress(OSError):  # a client that hangs up is what many of these tests are about
        connection.settimeout(5)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return
            head += byte
        wire.heads.append(head.decode())
        wire.play(Turn(connection, head.decode(), len(wire.heads) - 1, over))
