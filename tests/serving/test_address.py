"""Whether a web server on this machine is up, as whoever started it asks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dashboard.serving import address


@contextmanager
def web_server(status: int) -> Iterator[str]:
    """One that answers everything with this status, and its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield address.url("127.0.0.1", server.server_port)
        finally:
            server.shutdown()
            thread.join()


def test_it_is_up_also_while_it_misses_its_database() -> None:
    with web_server(503) as url:
        assert address.answers(url)
    assert not address.answers(url)


def test_a_proxy_that_leads_to_aws_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with web_server(200) as url:
        assert address.answers(url)


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "٨٠٨٠", "8000 "])
def test_what_is_no_port_is_told_with_its_variable(text: str) -> None:
    with pytest.raises(address.PortError, match="DRYDOCK_PORT must be a port number, not"):
        address.port({"DRYDOCK_PORT": text}, "DRYDOCK_PORT", 8000)
