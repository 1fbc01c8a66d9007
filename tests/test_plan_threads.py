"""Requests that wait for AWS: threads of their own, a short line, no place for who has gone; pages wait for none."""

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from dashboard.plan_threads import PlanThreads
from functions_app.models import Function
from functions_app.streams.plan_places import NO_PLACE
from tests import factories
from tests.processes import Process, eventually, web

PLAN = {"type": "http", "method": "POST", "path": "/functions/7/deploy/"}
THREADS = 2


@dataclass
class Crowd:
    """Clients of the door, and AWS, which answers when it is told to."""

    began: list[str] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    leaving: dict[str, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door = PlanThreads(self._page, self._plan, THREADS)

    async def _page(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.shown.append(scope)

    async def _plan(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"form of " + scope["who"].encode()
        self.began.append(scope["who"])
        await self.answer.wait()

    async def ask(self, *names: str, **scope: Any) -> None:
        """Each of these plans something; returns when nothing more happens."""
        for name in names:
            leave = self.leaving[name] = asyncio.Event()
            door = self.door({**PLAN, **scope, "who": name}, given(name, leave), send)
            self.tasks[name] = asyncio.create_task(door)
        await quiet()

    async def leave(self, name: str) -> None:
        """Somebody closes the browser."""
        self.leaving[name].set()
        await quiet()


def given(name: str, leave: asyncio.Event) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A whole form, then nothing until its sender leaves."""
    waiting = [{"type": "http.request", "body": b"form of " + name.encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await leave.wait()
        return {"type": "http.disconnect"}

    return receive


async def send(message: dict[str, Any]) -> None:
    """Nobody looks at what is sent."""


async def quiet() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_as_many_as_there_are_threads_wait_for_aws_as_many_stand_in_line_and_the_next_is_told_so() -> None:
    async def crowded() -> None:
        crowd = Crowd()
        await crowd.ask("ann", "ben", "cat", "dan", "eve")
        assert crowd.began == ["ann", "ben"]
        assert [(scope["who"], scope[NO_PLACE]) for scope in crowd.shown] == [("eve", True)]
        crowd.answer.set()
        await quiet()
        assert crowd.began == ["ann", "ben", "cat", "dan"]
        await crowd.ask("eve")
        assert crowd.began[4:] == ["eve"]

    asyncio.run(crowded())


def test_who_leaves_the_line_is_not_planned_for_and_makes_room() -> None:
    async def crowded() -> None:
        crowd = Crowd()
        await crowd.ask("ann", "ben", "cat", "dan")
        await crowd.leave("cat")
        assert crowd.tasks["cat"].done()
        await crowd.ask("eve")
        assert crowd.shown == []
        crowd.answer.set()
        await quiet()
        assert crowd.began == ["ann", "ben", "dan", "eve"]

    asyncio.run(crowded())


def test_who_leaves_or_breaks_while_aws_is_asked_gives_the_place_back_when_that_has_ended() -> None:
    async def crowded() -> None:
        crowd = Crowd()
        await crowd.ask("ann", "ben")
        await crowd.leave("ann")
        await crowd.ask("cat")
        assert crowd.began == ["ann", "ben"]  # the thread still waits for AWS
        crowd.tasks["ben"].cancel()
        await quiet()
        assert crowd.began == ["ann", "ben", "cat"]
        crowd.answer.set()
        await quiet()
        assert (crowd.door.under_way, crowd.door.places._value) == (0, THREADS)

    asyncio.run(crowded())


def test_all_else_is_served_by_the_pages() -> None:
    async def asked() -> None:
        crowd = Crowd()
        await crowd.ask("ann", method="GET")
        await crowd.ask("ben", path="/functions/7/")
        await crowd.ask("cat", path="/nothing/here/")
        assert [scope["who"] for scope in crowd.shown] == ["ann", "ben", "cat"]
        await crowd.ask("dan", path="/drydock/functions/7/deploy/", root_path="/drydock")
        assert crowd.began == ["dan"]
        crowd.answer.set()

    asyncio.run(asked())


def test_where_the_body_decides_what_does_not_ask_aws_takes_no_place_and_has_its_body() -> None:
    async def crowded() -> None:
        crowd, read = Crowd(), []

        async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
            read.append((await receive())["body"])

        crowd.door.pages, crowd.door.belongs = page, lambda _: lambda body: body == b"form of ann"
        await crowd.ask("ann", "ben")
        assert (crowd.began, read) == (["ann"], [b"form of ben"])
        crowd.answer.set()

    asyncio.run(crowded())


class HeldAws:
    """An AWS that takes calls and answers none, until it is let go: from then on it hangs up."""

    def __init__(self) -> None:
        self.calls: list[socket.socket] = []
        self.hangs_up = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                call, _ = self._server.accept()
            except OSError:
                return
            self.calls.append(call)
            if self.hangs_up:
                call.close()

    def let_go(self) -> None:
        """Every call ends without an answer, now and from now on."""
        self.hangs_up = True
        for call in self.calls:
            call.close()

    def close(self) -> None:
        """End."""
        self.let_go()
        self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._server.close()


@dataclass
class Site:
    """A web server whose AWS hangs, and an operator who is signed in."""

    process: Process
    port: int
    aws: HeldAws
    cookie: str
    token: str
    function: Function

    def ask(self, path: str) -> httpx.Response:
        """A page."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": self.cookie}, timeout=20)

    @property
    def _form(self) -> tuple[str, dict[str, str], str]:
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token, "Host": "localhost"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return f"/functions/{self.function.pk}/deploy/", headers, "image_typed=2&alias=live"

    def plan(self, **more: str) -> httpx.Response:
        """Plan a deployment, as a browser does."""
        path, headers, form = self._form
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", headers=headers | more, content=form, timeout=60)

    def begin_to_plan(self) -> socket.socket:
        """The same by a client that can go away."""
        path, headers, form = self._form
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client = socket.create_connection(("127.0.0.1", self.port))
        client.sendall(f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(form)}\r\n\r\n{form}".encode())
        self.ask("/login/")  # whoever came before has been taken in by now
        return client


@pytest.fixture
def later() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def site(process_environment: dict[str, str], tmp_path: Path, operator: User, client: Client) -> Iterator[Site]:
    account = factories.make_account()
    image = f"{account.account_id}.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    function = factories.make_function(account, image_uri=f"{image}:1")
    client.force_login(operator)
    aws = HeldAws()
    environment = process_environment | {"AWS_ENDPOINT_URL": aws.url, "DRYDOCK_PLAN_THREADS": str(THREADS)}
    with web(environment, tmp_path) as (process, port):
        site = Site(process, port, aws, f"sessionid={client.cookies['sessionid'].value}", "", function)
        token = site.ask(f"/functions/{function.pk}/deploy/").cookies[settings.CSRF_COOKIE_NAME]
        site.cookie, site.token = f"{site.cookie}; {settings.CSRF_COOKIE_NAME}={token}", token
        yield site
        aws.close()


def hanging(site: Site, later: ThreadPoolExecutor) -> list["Future[httpx.Response]"]:
    """As many plans as there are threads, each of which has asked AWS."""
    plans = [later.submit(site.plan) for _ in range(THREADS)]
    eventually(lambda: len(site.aws.calls) == THREADS, "every thread waits for AWS")
    return plans


@pytest.mark.django_db(transaction=True)
class Test_a_web_server_whose_aws_hangs:
    def test_shows_every_page_and_its_health_and_lets_others_write(self, site: Site, later: ThreadPoolExecutor) -> None:
        plans = hanging(site, later)

        for path in ("/", "/functions/", f"/functions/{site.function.pk}/deploy/", "/runs/", "/healthz"):
            assert site.ask(path).status_code == 200
        assert Function.objects.filter(pk=site.function.pk).update(owner="team-a") == 1
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
                assert cursor.fetchone() == (0,)

        assert [plan.done() for plan in plans] == [False] * THREADS
        site.aws.let_go()
        assert [plan.result(60).status_code for plan in plans] == [502] * THREADS
        assert "No answer" in plans[0].result().text

    def test_refuses_at_once_what_finds_the_line_full_and_plans_for_nobody_who_left_it(
        self, site: Site, later: ThreadPoolExecutor
    ) -> None:
        plans = hanging(site, later)
        line = [site.begin_to_plan() for _ in range(THREADS)]

        page, toast = site.plan(), site.plan(**{"HX-Request": "true"})

        assert [(answer.status_code, answer.headers["Retry-After"]) for answer in (page, toast)] == [(503, "15")] * 2
        assert re.search(r"<html.*Try again in about 15 s", page.text, re.DOTALL)
        assert toast.headers["HX-Retarget"] == "#toasts"
        for client in line:
            client.close()
        site.ask("/login/")
        assert [plan.done() for plan in plans] == [False] * THREADS
        site.aws.let_go()
        assert [plan.result(60).status_code for plan in plans] == [502] * THREADS
        assert site.plan().status_code == 502  # there is a place again
        assert len(site.aws.calls) == 2 * (THREADS + 1)  # each asks once more where the line breaks

    def test_stops_all_the_same(self, site: Site, later: ThreadPoolExecutor) -> None:
        plans = hanging(site, later)

        site.process.process.terminate()

        site.process.process.wait(20)  # AWS's silence would be waited for twice as long
        assert [plan.exception(20) is None for plan in plans] == [True] * THREADS
