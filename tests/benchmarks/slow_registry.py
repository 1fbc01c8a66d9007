"""A registry that takes its time: it keeps every question waiting, then knows nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import Server


class SlowRegistry:
    """Where it listens, and how many wait for its answer."""

    def __init__(self) -> None:
        self.url = ""
        self.waiting = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def delay(self, seconds: float) -> None:
        """Keep one question waiting, but no longer than the registry is there."""
        self._count(1)
        self._closing.wait(seconds)
        self._count(-1)

    def close(self) -> None:
        """Let everybody go."""
        self._closing.set()

    def _count(self, more: int) -> None:
        with self._lock:
            self.waiting += more


@contextmanager
def serving(seconds: float) -> Iterator[SlowRegistry]:
    """A registry on loopback that answers 404 after so many seconds."""
    registry = SlowRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.delay(seconds)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        registry.close()
        server.shutdown()
        server.server_close()
        thread.join(5)
