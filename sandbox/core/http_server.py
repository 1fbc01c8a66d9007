"""The sandbox's HTTP server: cheroot, with a thread for each connection, since a live tail needs one for hours."""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from functools import partial
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection

from sandbox import clock

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_PIECE = 256 * 1024
"""Bytes read and written at a time: cheroot copies what is left of a larger part again and again."""


class DroppedConnection(ConnectionResetError):
    """Raised by the app, or out of an answer's body (its head is sent then), to close the connection."""

    def __init__(self, why: str) -> None:
        # To cheroot it is a client that reset its connection: it closes, and says nothing.
        super().__init__(errno.ECONNRESET, why)


class Threads:
    """A daemon thread per connection, in place of cheroot's pool: that is of one size, and waits for open streams."""

    def start(self) -> None:
        """Nothing waits for connections."""

    def stop(self, _timeout: float = 0) -> None:
        """Nothing waits for streams: they end with the process."""

    def put(self, connection: HTTPConnection) -> None:
        """Serve a connection until either side has had enough."""
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: HTTPConnection) -> None:
        connection.socket.settimeout(None)
        try:
            while connection.communicate():
                pass
        finally:
            connection.close()


class Server(wsgi.Server):
    """Serves a WSGI application on a port that is bound at once; `serve()` answers until `stop()`."""

    def __init__(self, host: str, port: int, app: WSGIApp) -> None:
        super().__init__((host, port), self._run, server_name="drydock-sandbox", request_queue_size=256)
        self.app = app
        self.requests = Threads()
        self.prepare()

    def _run(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Call the app with the whole body, which it may read twice; date the answer by the sandbox's clock."""
        body = b"".join(iter(partial(environ["wsgi.input"].read, _PIECE), b""))
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(body))}
        environ["RAW_URI"] = environ["REQUEST_URI"]

        def start_dated(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            kept = [header for header in headers if header[0].lower() not in ("date", "connection")]
            return start_response(status, [*kept, ("Date", formatdate(clock.seconds(), usegmt=True))], exc_info)

        return _pieces(self.app(environ, start_dated))

    @property
    def url(self) -> str:
        """Where it is reached."""
        host, port = self.bind_addr
        return f"http://{host}:{port}"


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for part in parts:
            yield from (part[at : at + _PIECE] for at in range(0, len(part), _PIECE))
    finally:
        close = getattr(parts, "close", None)
        if close:
            close()
