"""What anybody may send without end fills no log: a line of each kind, then how many there were."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client

from dashboard.repeats import Repeats
from tests.processes import eventually, web

pytestmark = pytest.mark.django_db(transaction=True)
EVERY = 2.0  # seconds, where the product waits for a minute


class Kept(logging.Handler):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def kept() -> Iterator[Kept]:
    """What the server's log would have."""
    handler = Kept()
    handler.addFilter(Repeats(EVERY))
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_of_many_bad_requests_of_a_kind_one_is_written_and_the_others_are_counted(kept: Kept) -> None:
    stranger = Client(enforce_csrf_checks=True)
    for _ in range(20):
        assert stranger.post("/login/", {"username": "x"}).status_code == 403

    eventually(lambda: any("more like" in line for line in kept.lines), "they are counted")
    assert kept.lines[0].startswith("Forbidden (CSRF cookie not set.): /login/")
    assert kept.lines[1].startswith("19 more like “Forbidden (CSRF cookie not set.): /login/” within 2 s")
    assert len(kept.lines) == 2


def test_a_web_server_writes_one_line_of_each_kind_however_many_come(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    with web(process_environment, tmp_path) as (process, port):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall(b"this is no HTTP\r\n\r\n")
                stranger.recv(1024)
            assert httpx.post(f"http://127.0.0.1:{port}/login/", data={"username": "x"}).status_code == 403
        text = process.text()

    assert text.count("Invalid HTTP request received.") == 1
    assert text.count("Forbidden (CSRF cookie not set.): /login/") == 1
    assert '"POST /login/ HTTP/1.1"' not in text  # nor one for each request that is answered


def test_one_kind_hides_no_other_and_no_error_of_ours(kept: Kept) -> None:
    request = logging.getLogger("django.request")
    for status in (400, 404, 500, 500):
        request.error("%s: %s", status, "/x", extra={"status_code": status})

    assert kept.lines == ["400: /x", "404: /x", "500: /x", "500: /x"]
