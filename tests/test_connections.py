"""Connections of the web server: half-sent heads are cut and take nobody's place, honest slow requests are served."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from dashboard import connections
from dashboard.connections import Connection, raise_file_limit
from functions_app.domain import limits
from tests.processes import ROOT, eventually, web

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "
REST = b"x\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers in two parts with a pause between them that is longer than the deadline of heads."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await asyncio.sleep(1.0 if scope["path"] == "/slow" else 0)
        await send({"type": "http.response.body", "body": b"done"})


@contextmanager
def serving(head_within: float) -> Iterator[int]:
    """uvicorn with this deadline, and its port."""

    class Own(Connection):
        headless: dict[Connection, None] = {}

    Own.head_within = head_within
    server = uvicorn.Server(uvicorn.Config(application, port=0, http=Own, lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def connect(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(sent)
    return connection


def is_cut(connection: socket.socket) -> bool:
    """Wait for the end of the connection; whether it ended without an answer."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", HALF, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF])
def test_a_head_that_does_not_end_is_cut_also_on_a_connection_that_was_used_before(sent: bytes) -> None:
    with serving(head_within=0.3) as port, connect(port, sent) as connection:
        if sent.count(b"GET") == 2:
            answer = b""
            while not answer.endswith(b"partdone"):
                answer += connection.recv(4096)
        assert is_cut(connection)


def test_a_head_in_pieces_is_served() -> None:
    with serving(head_within=30) as port, connect(port, HALF) as connection:
        for piece in (b"a", b"b", REST):
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_an_answer_may_take_longer_than_a_head() -> None:
    with serving(head_within=0.3) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/slow", timeout=30).text == "partdone"


def test_of_too_many_half_sent_heads_the_oldest_go_at_once_and_the_newest_stay() -> None:
    with serving(head_within=60) as port, ExitStack() as stack:
        several = [stack.enter_context(connect(port, HALF)) for _ in range(limits.HEADLESS + 3)]
        assert all(is_cut(connection) for connection in several[:3])
        several[-1].sendall(REST)
        assert several[-1].recv(100).startswith(b"HTTP/1.1 200")


def test_what_happens_again_and_again_is_told_once_for_a_while_and_then_how_often(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "complaints", type(Connection.complaints)())  # which has said nothing yet
    with serving(head_within=0.1) as port:

        def cut() -> list[str]:
            with connect(port, HALF) as connection:
                assert is_cut(connection)
            return caplog.messages

        told = "connections were cut that sent no whole head of a request in time."
        assert [cut() for _ in range(3)] == [[f"1 {told}"]] * 3
        monkeypatch.setattr(connections, "COMPLAIN_EVERY", 0)  # the minute is over
        assert cut() == [f"1 {told}", f"3 {told}"]


ENDLESS = [
    (b"GET /", b"a" * 65_536),
    (HALF, b"a" * 65_536),
    (b"GET / HTTP/1.1\r\n", b"X: a\r\n" * 10_000),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: a\r\n" * 10_000),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65_536),
]


@pytest.mark.parametrize(("begins", "goes_on"), ENDLESS, ids=["address", "header", "headers", "trailers", "extension"])
def test_what_goes_on_without_end_is_cut_before_it_fills_the_memory(begins: bytes, goes_on: bytes) -> None:
    with serving(head_within=60) as port, connect(port, begins) as connection, pytest.raises(ConnectionError):
        connection.sendall(goes_on * 400)  # 25 MB


def test_a_large_body_is_no_head_without_end() -> None:
    body = iter([b"a" * 65_536] * 20)
    with serving(head_within=30) as port:
        assert httpx.post(f"http://127.0.0.1:{port}/", content=body, timeout=30).text == "partdone"


RAISED = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (300, {hard}))
from dashboard.connections import Connection
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], Connection.room)
"""


def test_as_many_files_may_be_open_as_the_system_lets_a_process_have() -> None:
    code = RAISED.format(hard=900)
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["900", str(900 - connections.OWN_FILES)]


def test_more_connections_than_files_allow_are_refused_and_told_until_others_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "complaints", type(Connection.complaints)())
    monkeypatch.setattr(Connection, "room", 2)
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(head_within=60) as port, ExitStack() as stack:
        others = [stack.enter_context(connect(port, whole)) for _ in range(2)]
        assert all(other.recv(100).startswith(b"HTTP/1.1 200") for other in others)
        refused = stack.enter_context(connect(port))
        answer = refused.recv(1000)
        assert answer.startswith(b"HTTP/1.1 503")
        assert answer.endswith(b"Too many connections are open. Try again in a moment")
        assert caplog.messages == ["1 connections were refused: as many are open as files allow (ulimit -n)."]
        others[0].close()

        def served() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
            return False

        eventually(served, "there is room again")


@pytest.mark.django_db(transaction=True)
def test_with_few_files_a_thousand_half_sent_heads_keep_nobody_out_and_are_told(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    raise_file_limit()  # of this process, for its ends of the connections
    with web(process_environment, tmp_path, files=1_024) as (process, port), ExitStack() as stack:
        for _ in range(1_100):
            with suppress(ConnectionError):  # by then some were cut
                stack.enter_context(connect(port, HALF))
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{port}/login/", timeout=30).status_code == 200
        eventually(lambda: process.says("connections were cut that sent no whole head"), "the log tells")
        assert "Only 1024 files may be open" in process.text()
