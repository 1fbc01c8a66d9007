"""The Lambda Runtime API, one server per execution environment, so that no dead poller can swallow an event.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_BASE = "/2018-06-01/runtime"
_ANSWER = re.compile(_BASE + r"/invocation/(?P<request>[\w-]+)/(?P<kind>response|error)")


@dataclass(frozen=True)
class Event:
    """One event for the handler."""

    request_id: str
    payload: bytes
    arn: str
    deadline_ms: int
    """Epoch milliseconds at which the function times out."""
    client_context: str = ""
    on_chunk: Callable[[bytes], None] | None = None
    """Takes the parts of a streamed response as the runtime sends them."""


@dataclass(frozen=True)
class Result:
    """What the runtime posted: the payload, or the error document with its type."""

    payload: bytes
    error_type: str = ""
    streamed: bool = False


class RuntimeApi:
    """The server's side of one environment: an event in, a result out, and what the runtime does in between."""

    def __init__(self) -> None:
        self.polled = threading.Event()
        """Set once the runtime asks for events: the init phase is over."""
        self.changed = threading.Condition()
        """Notified at every step; guards `result` and `init_error`."""
        self.result: Result | None = None
        self.init_error: Result | None = None
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._current = ""
        self._on_chunk: Callable[[bytes], None] | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def send(self, event: Event) -> None:
        """Hand an event to the runtime."""
        self.result, self._current, self._on_chunk = None, event.request_id, event.on_chunk
        self._events.put(event)

    def close(self) -> None:
        """End the server and its connections."""
        self._events.put(None)
        # shutdown() waits for the server's loop, for which nobody else should wait.
        threading.Thread(target=self._stop, daemon=True).start()

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> Event | None:
        """The runtime polls: wait for an event; None when the environment is closed."""
        with self.changed:
            self.polled.set()
            self.changed.notify_all()
        event = self._events.get()
        if event is None:
            self._events.put(None)
        return event

    def answer(self, request_id: str, result: Result) -> bool:
        """The runtime answers an event; False when nobody waits for that one."""
        with self.changed:
            if request_id != self._current:
                return False
            self.result, self._current = result, ""
            self.changed.notify_all()
            return True

    def pass_on(self, request_id: str, chunk: bytes) -> None:
        """A part of a streamed response goes to who waits for that one."""
        with self.changed:
            if request_id == self._current and self._on_chunk is not None:
                self._on_chunk(chunk)

    def fail_init(self, result: Result) -> None:
        """The runtime could not load the handler."""
        with self.changed:
            self.init_error = result
            self.changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Its threads may wait in take(); closing must not wait for them.
    block_on_close = False
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A runtime that was killed in the middle of a request is expected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Both matter: an unbuffered answer with Nagle's algorithm costs 85 ms a call.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """No access log."""

    def do_GET(self) -> None:
        """Next event."""
        if self.path != f"{_BASE}/invocation/next":
            return self._send(404, b'{"errorType": "InvalidPath"}')
        event = self.server.api.take()
        if event is None:
            self.close_connection = True
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": event.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-00000000-{event.request_id.replace('-', '')[:24]};Sampled=0",
        }
        if event.client_context:
            headers["Lambda-Runtime-Client-Context"] = event.client_context
        return self._send(200, event.payload, headers)

    def do_POST(self) -> None:
        """A result or an error."""
        match = _ANSWER.fullmatch(self.path)
        is_streamed = self.headers.get("Lambda-Runtime-Function-Response-Mode") == "streaming"
        passed_on = match["request"] if match and is_streamed and match["kind"] == "response" else ""
        body, trailers = self._body(passed_on)
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        if self.path == f"{_BASE}/init/error":
            self.server.api.fail_init(Result(body, kind or _error_type(body)))
            return self._send(202, b'{"status": "OK"}')
        if not match:
            return self._send(404, b'{"errorType": "InvalidPath"}')
        failed = match["kind"] == "error"
        result = Result(body, (kind or _error_type(body)) if failed else "", bool(passed_on))
        if broken := trailers.get("lambda-runtime-function-error-type"):
            # A stream that broke off: its last words are the trailers'.
            result = Result(base64.b64decode(trailers.get("lambda-runtime-function-error-body", "")), broken, True)
        if self.server.api.answer(match["request"], result):
            return self._send(202, b'{"status": "OK"}')
        return self._send(400, b'{"errorType": "InvalidRequestID"}')

    def _body(self, passed_on: str) -> tuple[bytes, dict[str, str]]:
        """The body and its trailers (names in lower case); chunks are passed on as they come, where that is wanted."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0)), {}
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if passed_on:
                self.server.api.pass_on(passed_on, parts[-1])
        trailers = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            trailers[name.lower()] = value.strip()
        return b"".join(parts), trailers

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body).get("errorType", "")) or "Unhandled"
    except (ValueError, AttributeError):
        return "Unhandled"
