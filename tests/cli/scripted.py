"""A server that answers as a test says, one request after the other, and keeps what it was asked."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.http_server import Server

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """One answer; without a status the connection is cut instead.

    With `cut` it is cut after what is sent, and with `hangs` nothing more comes until the client goes.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hangs: bool = False

    @property
    def data(self) -> bytes:
        """As it goes over the line."""
        body = self.body if self.body is not None else {"text": "Done.", "aliases": []}
        return body if isinstance(body, bytes) else json.dumps(body).encode()


CUT = Answer(0)


def problem(status: int, code: str, detail: str = "It is so.", **more: Any) -> Answer:
    """A problem of Drydock's."""
    headers = {"Content-Type": PROBLEM, "X-Request-Id": "r-1", **more.pop("headers", {})}
    told = {"code": code, "detail": detail, "next_step": "Do that.", "text": "x", "aws_code": "", "request_id": ""}
    return Answer(status, told | more, headers)


@dataclass(frozen=True)
class Asked:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Script:
    """The answers that are left, and the requests so far."""

    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    @property
    def keys(self) -> list[str]:
        """The Idempotency-Key of each request."""
        return [each.headers.get("idempotency-key", "") for each in self.asked]


@contextmanager
def serving(answers: Sequence[Answer], certificate: Path | None = None) -> Iterator[Script]:
    """The server, with a certificate as `localhost` over TLS; what is left of its answers was not asked for."""
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append(Asked(self.command, self.path, headers, body))
            answer = script.answers.pop(0)
            if answer.status:
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.data) + (100 if answer.cut or answer.hangs else 0)))
                self.end_headers()
                self.wfile.write(answer.data)
            if answer.hangs:
                self.connection.recv(1)
            if answer.cut or not answer.status:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        script.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
