"""Stands between the product and its registries, and cuts connections in the middle of a blob's body."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import Counter
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.http_server import Server

LARGE = 100_000  # bytes of a body that is cut: more than connections hold back
PIECE = 64 * 1024


class Cutting:
    """Forwards to the sandbox. `times`: how often each large body is cut, on its way out of a registry (GET) and into
    one (PUT); `cut`: how often each was, by method and digest.
    """

    def __init__(self, target: str, times: int) -> None:
        self.times, self.cut = times, Counter[tuple[str, str]]()
        self._lock = threading.Lock()
        cutting, address = self, urlsplit(target).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                cuts = cutting.strikes(self.command, self.path, length)
                with closing(http.client.HTTPConnection(address, timeout=60)) as there:
                    there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        there.putheader(name, value)
                    there.endheaders()
                    left = length // 2 if cuts else length
                    while piece := self.rfile.read(min(PIECE, left)):
                        there.send(piece)
                        left -= len(piece)
                    if not cuts:
                        self._answer(there.getresponse())
                if cuts:
                    self._hang_up()

            def _answer(self, answer: http.client.HTTPResponse) -> None:
                body, kept = answer.read(), {"transfer-encoding", "connection", "content-length"}
                cuts = cutting.strikes(self.command, self.path, len(body))
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in kept:
                        self.send_header(name, value)
                told = answer.headers.get("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", told or str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cuts else body)
                if cuts:
                    self._hang_up()

            def _hang_up(self) -> None:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do_DELETE = _forward

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def strikes(self, method: str, path: str, length: int) -> bool:
        """Whether this body is cut; it counts as cut."""
        digest = path.rpartition("sha256:")[2][:64]
        with self._lock:
            if length < LARGE or not digest or self.cut[method, digest] >= self.times:
                return False
            self.cut[method, digest] += 1
            return True

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
