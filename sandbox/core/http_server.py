"""A small threaded WSGI server that keeps connections alive (werkzeug's closes each, which costs half the speed)."""

from __future__ import annotations

import io
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from sandbox import clock

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class DroppedConnection(ConnectionError):
    """Raised by the app, or out of an answer's body, to close the connection without another byte."""


class Handler(BaseHTTPRequestHandler):
    """One connection: reads each request's body whole, calls the app, answers in one write where it can."""

    protocol_version = "HTTP/1.1"
    server_version = "drydock-sandbox"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: it costs time, and GET /_sandbox/calls counts instead."""

    def handle(self) -> None:
        """Serve requests until the client leaves; a dropped connection is no error."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Say "100 Continue" at once: it would wait in the write buffer, and the client with it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def handle_one_request(self) -> None:
        """Read, run and answer one request."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > 65536:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(414)
            return
        if not self.parse_request():
            return
        self._run(self._environ(self._read_body()))
        self.wfile.flush()

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[f"HTTP_{key}"] = value
        if content_type := self.headers.get("Content-Type"):
            environ["CONTENT_TYPE"] = content_type
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _run(self, environ: dict[str, Any]) -> None:
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> Callable[[bytes], Any]:
            answer[:] = [status, headers]
            return self.wfile.write

        try:
            parts = self.server.app(environ, start_response)
        except DroppedConnection:
            raise
        except Exception:  # noqa: BLE001  the boundary: shown on stderr and answered as 500, never hidden
            traceback.print_exc()
            self.send_error(500)
            return
        try:
            self._answer(str(answer[0]), answer[1], parts)
        finally:
            close = getattr(parts, "close", None)
            if close:
                close()

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        bodiless = self.command == "HEAD" or code in ("204", "304") or code.startswith("1")
        sized = any(name.lower() == "content-length" for name, _ in headers)
        if not sized and not bodiless and isinstance(parts, list | tuple):
            headers = [*headers, ("Content-Length", str(sum(map(len, parts))))]
            sized = True
        chunked = not sized and not bodiless
        lines = [f"{self.protocol_version} {code} {reason}", f"Date: {self.date_time_string(clock.seconds())}"]
        lines += [f"{name}: {value}" for name, value in headers if name.lower() not in ("date", "connection")]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if bodiless:
            return
        for part in parts:
            if chunked and part:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.flush()
            else:
                self.wfile.write(part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    """Serves a WSGI application, one daemon thread per connection."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, app: WSGIApp) -> None:
        super().__init__((host, port), Handler)
        self.app = app

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name, which can take seconds."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is not worth a line; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"
