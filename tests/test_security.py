"""Drydock as an attacker sees it: every address, every answer, and a real web server that is treated badly."""

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard import request_limits
from dashboard.env import read
from functions_app.domain import limits
from functions_app.models import LogLine, Run
from tests.factories import NOW, make_account, make_function
from tests.processes import web

CHANGES = [
    "/functions/1/deploy/",
    "/functions/1/rollback/",
    "/functions/1/invoke/",
    "/plans/00000000-0000-4000-8000-000000000000/apply/",
    "/repositories/1/forecast/",
    "/sync/",
    "/login/",
    "/logout/",
    "/settings/accounts/add/",
]


@pytest.mark.parametrize("address", CHANGES)
def test_what_takes_a_form_wants_its_token_also_from_htmx(superuser: User, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    assert client.post(address).status_code == 403
    assert client.post(address, headers={"HX-Request": "true"}).status_code == 403


class Test_every_answer:
    @pytest.mark.parametrize(
        "address", ["/login/", "/functions/", "/nowhere/", "/static/app.css", "/healthz", "/functions/?a=%00"]
    )
    def test_carries_the_policy(self, client: Client, db: None, address: str) -> None:
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


class Test_what_no_browser_sends:
    @pytest.mark.parametrize("address", ["/functions/", "/repositories/", "/runs/", "/audit/"])
    def test_nul_in_a_filter_is_refused(self, client: Client, viewer: User, address: str) -> None:
        client.force_login(viewer)
        assert client.get(f"{address}?region=%00&person=%00").status_code == 400
        cookies = client.cookies.output(header="", sep=";").strip()
        assert client.get(address, headers={"Cookie": f'{cookies}; other="\\000"'}).status_code == 400

    @pytest.mark.parametrize("page", ["999999999999", "-1", "0", "x", "9" * 5000, "１"])
    @pytest.mark.parametrize("address", ["/functions/", "/repositories/", "/runs/", "/audit/"])
    def test_a_page_beyond_all_sense_gives_one_that_is_there(
        self, client: Client, viewer: User, address: str, page: str
    ) -> None:
        client.force_login(viewer)
        assert client.get(address, {"page": page}).status_code == 200

    @pytest.mark.parametrize("number", ["0", "99999999999999999999", "9" * 5000])
    @pytest.mark.parametrize("address", ["/functions/{}/", "/runs/{}/", "/runs/{}/log.txt", "/repositories/{}/"])
    def test_a_number_beyond_all_sense_is_not_found(
        self, client: Client, viewer: User, address: str, number: str
    ) -> None:
        client.force_login(viewer)
        assert client.get(address.format(number)).status_code == 404

    @pytest.mark.parametrize("wild", ["%", "_", "*", "[a-z]", "?", "\\"])
    def test_wildcards_are_plain_letters(self, client: Client, viewer: User, wild: str) -> None:
        make_function(make_account(), "orders")
        client.force_login(viewer)
        text = client.get("/functions/", {"search": wild}).content.decode()
        assert ">orders</a>" not in text


class Test_a_request_that_cannot_be_read:
    def test_for_another_host_is_told_what_to_set(self, client: Client, db: None) -> None:
        answer = client.get("/functions/", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert "DRYDOCK_ALLOWED_HOSTS" in answer.content.decode()

    def test_as_a_form_is_a_bad_request_not_a_failure(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)
        assert client.post("/login/", b"hello", content_type="multipart/form-data; boundary=").status_code == 400
        fields = "&".join(["a=1"] * 2000)
        answer = client.post("/login/", fields, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}"


def test_hostile_names_are_text_on_every_page(client: Client, superuser: User) -> None:
    account = make_account()
    function = make_function(account, "orders")
    texts = ("description", "owner", "managed_by", "base_name", "state_reason", "problem", "freshness_reason", "region")
    type(function).objects.update(
        **dict.fromkeys(texts, HOSTILE),
        tags={HOSTILE: HOSTILE},
        env_keys=[HOSTILE],
        alias_chips=[{"name": HOSTILE, "version": HOSTILE, "digest": HOSTILE, "drifted": True}],
    )
    account.name = HOSTILE
    account.save()
    client.force_login(superuser)
    for address in (
        "/functions/",
        "/functions/1/",
        "/functions/1/image/",
        "/functions/1/deploy/",
        "/functions/1/invoke/",
    ):
        text = client.get(address.replace("1", str(function.pk))).content.decode()
        assert "<script>alert" not in text, address


class Test_the_secret_key:
    def test_is_readable_by_its_owner_alone_and_so_is_the_directory(self, tmp_path: Path) -> None:
        environment = read({"DRYDOCK_DATA_DIR": str(tmp_path / "data")})
        assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]
        assert environment.secret_key == read({"DRYDOCK_DATA_DIR": str(tmp_path / "data")}).secret_key


@dataclass
class Caller:
    """Sends bytes to a web server and keeps the connections open."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)

    def send(self, request: bytes) -> socket.socket:
        """Open a connection and send."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.connections.append(connection)
        connection.sendall(request)
        return connection

    def ask(self, request: bytes) -> bytes:
        """The beginning of the answer."""
        return self.send(request).recv(4096)


LOGIN_PAGE = b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.django_db(transaction=True)
class Test_a_web_server_that_is_treated_badly:
    @pytest.fixture
    def caller(self, process_environment: dict[str, str], tmp_path: Path) -> Iterator[Caller]:
        with web(process_environment, tmp_path) as (_, port):
            caller = Caller(port)
            yield caller
            for connection in caller.connections:
                connection.close()

    def test_forms_that_never_end_keep_nobody_waiting(self, caller: Caller) -> None:
        for _ in range(8):  # more than there are threads
            caller.send(FORM + b"Content-Length: 1000\r\n\r\nusername=")
        time.sleep(0.2)
        assert caller.ask(LOGIN_PAGE).startswith(b"HTTP/1.1 200")

    def test_a_log_that_is_never_read_keeps_nobody_waiting(self, caller: Caller, client: Client, viewer: User) -> None:
        run = Run.objects.create(kind="sync", status="succeeded", title="Sync", created_at=NOW, actor_name="schedule")
        rows = (LogLine(run=run, sequence=number, at=NOW, text="x" * 1000) for number in range(1, 20_001))
        LogLine.objects.bulk_create(rows, batch_size=2_000)
        client.force_login(viewer)
        cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
        for _ in range(4):  # 20 MB each: more than the sockets hold
            caller.send(b"GET /runs/%d/log.txt HTTP/1.1\r\nHost: localhost\r\nCookie: %b\r\n\r\n" % (run.pk, cookie))
        time.sleep(0.5)
        assert caller.ask(LOGIN_PAGE).startswith(b"HTTP/1.1 200")

    def test_too_much_is_refused_with_a_reason(self, caller: Caller) -> None:
        long = b"GET /login/?next=" + b"a" * limits.HEAD + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert caller.ask(long).startswith(b"HTTP/1.1 431")
        answer = caller.ask(FORM + b"Content-Length: 99999999\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"content-security-policy" in answer

    def test_bytes_beyond_ascii_in_an_address_are_no_failure(self, caller: Caller) -> None:
        answer = caller.ask(b"GET /login/?next=\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))

    def test_a_form_in_pieces_of_unknown_length_is_read(self, caller: Caller) -> None:
        answer = caller.ask(FORM + b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 403")  # read, and without its token


def taken_in(content_type: str) -> int:
    """The status of a request with this Content-Type, before it reaches Django."""
    sent: list[dict[str, Any]] = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"content-type", content_type.encode("latin-1"))]
    scope = {"type": "http", "headers": headers, "query_string": b"x=%ff", "path": "/login/", "raw_path": b"/login/"}
    asyncio.run(request_limits.Intake(application)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("charset", ["rot13", "undefined", "unicode_escape", "utf-16", "idna", "UTF-7", '"latin-1"'])
def test_a_request_in_another_encoding_than_utf_8_is_refused_before_django_decodes_it(charset: str) -> None:
    assert taken_in(f"application/x-www-form-urlencoded; charset={charset}") == 415
    assert taken_in(f"multipart/form-data; Charset = {charset}; boundary=x") == 415


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=UTF8", '; charset="utf-8"; boundary=x'])
def test_one_in_utf_8_is_let_through(charset: str) -> None:
    assert taken_in(f"multipart/form-data{charset}") == 200


def test_a_nul_in_an_address_is_refused(client: Client, operator: User) -> None:
    client.force_login(operator)
    assert client.get("/bases/named/a%00b/").status_code == 400
