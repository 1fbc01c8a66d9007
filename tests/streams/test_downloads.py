"""Logs and lists as files, from the web server: whole for who reads, and next to nothing for who does not."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import AuditEntry, LogLine, Run
from tests.processes import Process, web

LINES = 16_000
SLOW = 8
LITTLE = 40  # MB that all of them may cost; the log and the list are of 16, for each

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    run = Run.objects.create(kind="sync", status="succeeded", title="Sync", created_at=clock.now(), line_count=LINES)
    rows = (
        LogLine(run=run, sequence=each, at=clock.now(), text=f"{each} {'x' * 1000}") for each in range(1, LINES + 1)
    )
    LogLine.objects.bulk_create(rows, batch_size=2_000)
    return run


@pytest.fixture
def audit(db: None) -> None:
    told = {"target": "t" * 400, "result": "r" * 300, "action": "deployment.plan", "actor_name": "o" * 150}
    rows = (AuditEntry(at=clock.now(), **told) for _ in range(LINES))
    AuditEntry.objects.bulk_create(rows, batch_size=2_000)


@pytest.fixture
def server(process_environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[Process, int]]:
    with web(process_environment, tmp_path) as (process, port):
        yield process, port


@pytest.fixture
def cookie(client: Client, viewer: User) -> str:
    client.force_login(viewer)
    return f"sessionid={client.cookies['sessionid'].value}"


def megabytes(process: Process) -> int:
    """What it has in memory of its own; pages of the database's file, which is mapped, are not."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def ask(port: int, path: str, cookie: str) -> tuple[int, bytes]:
    """Status and body of an answer."""
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path, headers={"Host": "localhost", "Cookie": cookie, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_slow_readers_hold_no_file_in_memory_and_others_get_all_of_it(
    server: tuple[Process, int], run: Run, audit: None, cookie: str
) -> None:
    process, port = server
    assert ask(port, f"/runs/{run.pk}/", cookie)[0] == 200
    before, log, table = megabytes(process), f"/runs/{run.pk}/log.txt", "/audit/?format=csv&about=deployment.plan"
    with ExitStack() as held:
        for path in (log, table) * (SLOW // 2):
            slow = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        status, body = ask(port, log, cookie)
        assert status == 200
        assert [int(line.split()[-2]) for line in body.decode().splitlines()] == list(range(1, LINES + 1))
        status, body = ask(port, table, cookie)
        assert status == 200
        assert len(body.splitlines()) == LINES + 1
        grown = megabytes(process) - before  # while those who read slowly still wait
        assert grown < LITTLE


def test_it_is_for_who_may_look_alone(server: tuple[Process, int], run: Run, cookie: str) -> None:
    _, port = server
    assert ask(port, f"/runs/{run.pk}/log.txt", "")[0] == 302
    assert ask(port, "/audit/?format=csv", "")[0] == 302
    assert ask(port, "/audit/?format=csv", cookie) == (200, b"at,actor,action,target,result,run,words\r\n")
    assert b"</html>" in ask(port, "/settings/?format=csv", cookie)[1]  # a page that is no such list
    status, body = ask(port, f"/runs/{run.pk + 1}/log.txt", cookie)
    assert (status, b"</html>" in body) == (404, True)  # Django's page, whole
