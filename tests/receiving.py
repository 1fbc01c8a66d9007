"""A pipeline that is told of rebuilds: a real HTTP server that keeps what it was sent."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.http_server import Server


@dataclass
class Message:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Pipeline:
    """What a test sets, and what came. `waits`: seconds before it answers."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    waits: float = 0.0
    messages: list[Message] = field(default_factory=list)
    url: str = ""


@contextmanager
def receiving() -> Iterator[Pipeline]:
    """A pipeline at work."""
    pipeline = Pipeline()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pipeline.messages.append(Message(self.path, dict(self.headers), body))
            time.sleep(pipeline.waits)
            self.send_response(pipeline.status)
            for name, value in {"Content-Length": "0", **pipeline.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with Server(("127.0.0.1", 0), Handler) as server:
        pipeline.url = f"http://127.0.0.1:{server.server_port}/hooks/drydock"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield pipeline
        finally:
            server.shutdown()
            thread.join()
