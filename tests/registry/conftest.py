"""Registries to read from: Debian's docker-registry, and a server that answers as a test scripts it."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from functions_app.domain.images.registry_login import Login
from functions_app.registry.addresses import Reach
from functions_app.registry.auth import Credentials
from functions_app.registry.client import Registry
from tests import distribution_server
from tests.fixtures import ClientFactory, Push, Sandbox
from tests.http_server import Server
from tests.registry import wire as wires
from tests.registry.ecr import APP, NEW_BASE, Ecr, opened

USER = Login(distribution_server.USER, distribution_server.PASSWORD)


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running docker-registry (distribution's reference implementation) that wants a login."""
    with distribution_server.serving(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture
def wire() -> Iterator[wires.Wire]:
    """A server that a test plays byte by byte."""
    with wires.serving() as running:
        yield running


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    authorization: str
    range: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)


Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Scripted:
    """A server whose every answer is given by `answer`; `requests` are those that came."""

    url: str = ""
    answer: Callable[[Request], Reply] = lambda _request: (404, {}, b"")
    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def open(
        self, login: Credentials | None = None, *, reach: Reach | None = None, host: str = "registry.example"
    ) -> Registry:
        """A client of it that notes its pauses instead of waiting."""
        return Registry(host, self.url, login, reach=reach, pause=self.pauses.append)

    def replies(self, *replies: Reply) -> None:
        """Give these answers in turn, the last one for ever."""
        left = list(replies)
        self.answer = lambda _request: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that a test scripts."""
    yield from serve_scripted(Scripted())


@pytest.fixture
def elsewhere() -> Iterator[Scripted]:
    """Another such server: another origin."""
    yield from serve_scripted(Scripted())


def serve_scripted(script: Scripted, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Run the server until the test is over."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told = self.headers
            body = self.rfile.read(int(told.get("Content-Length", 0)))
            request = Request(
                self.command, self.path, told.get("Authorization", ""), told.get("Range", ""), body, dict(told)
            )
            script.requests.append(request)
            status, headers, body = script.answer(request)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield script
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def client(aws_client: ClientFactory) -> ClientFactory:
    """Here a client is one of AWS's; where pages are tested it is Django's."""
    return aws_client


@pytest.fixture
def ecr(sandbox: Sandbox, account: str, client: ClientFactory, push: Push) -> Iterator[Ecr]:
    """An account that mounts blobs, with an app and the new base that it is to stand on."""
    push("team/app", APP, ["v1"])
    push("platform/base", NEW_BASE, ["3.12"])
    with opened(sandbox, account, client("ecr")) as found:
        found.mount("ENABLED")
        yield found
    sandbox.admin("DELETE", f"faults?account={account}")
