"""Ways to reach each limit of Drydock: every one tells what whoever does so is told, '' where they are served."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
import uvicorn
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from uvicorn.server import ServerState

from dashboard.connections import Connection
from dashboard.plan_threads import PlanThreads
from dashboard.request_limits import Intake
from functions_app import clock
from functions_app.api import door
from functions_app.domain import limits
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.ecr_events import read_event
from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, Run
from functions_app.services.people import sign_in, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.streams.api_streams import ADMISSION, Admission
from functions_app.streams.application import Application
from functions_app.streams.hub import Hub
from functions_app.streams.stream_places import StreamPlaces
from functions_app.streams.waiting_answers import WaitingAnswers
from tests.factories import make_account, make_function
from tests.test_env import given

HERE, OTHERS = "203.0.113.7", "198.51.100.{}"
FORM = "application/x-www-form-urlencoded"


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock goes on when it is told to."""

    now = 1_000.0

    def time(self) -> float:
        """asyncio's door."""
        return self.now


def running(story: Callable[[], Coroutine[Any, Any, str]]) -> str:
    """What an async story comes to."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(story())


async def later(seconds: float = 0.0) -> None:
    """Let so much time pass, then every task go as far as it can."""
    asyncio.get_running_loop().now += seconds  # type: ignore[attr-defined]
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class Place:
    """An installation, somebody who may look and work there, and a log. Each method tells why not; '' if it may be."""

    client: Client
    person: User
    log: pytest.LogCaptureFixture
    folder: Path

    def page(self, address: str, data: Any = None, **more: Any) -> str:
        """What a refused POST of a page is told."""
        answer = self.client.post(address, data or {}, **more)
        return answer.content.decode() if answer.status_code >= 400 else ""

    def let_in(self, name: str = "olga") -> str:
        """What a sign-in with the right password is told."""
        return self.page("/login/", {"username": name, "password": "a long password"}, REMOTE_ADDR=HERE)

    def watch(self, others: Mapping[int | str, int]) -> str:
        """What is told who opens a stream beside those that are open already, by person."""
        self.client.force_login(self.person)
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        async def story() -> None:
            served = Application(nothing)
            served.places.taken = Counter(others)
            cookie = self.client.cookies.output(header="", sep=";").strip().encode()
            headers = [(b"host", b"localhost"), (b"cookie", cookie)]
            await served({"type": "http", "method": "GET", "path": "/events/fleet", "headers": headers}, receive, send)
            assert served.hub is not None
            served.hub.close()

        asyncio.run(story())
        return str(told[1]["body"].decode()) if told[0]["status"] != 200 else ""


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """What stands behind a door and says nothing."""


async def may(_scope: Any) -> bool:
    """Large bodies are due, wherever."""
    return True


def taken_in(length: int, *, head: int = 0, wait: float = 0.0, held: int = 0, by: str = HERE) -> str:
    """What the intake tells of a body of so many bytes; its end is waited for, and others (`{}`: each) hold so many."""

    async def story() -> str:
        large = length > limits.BODY + 1 or held > 0
        intake = Intake(nothing, may) if large else Intake(nothing)
        sizes = [limits.LARGE_BODY] * (held // limits.LARGE_BODY) + [held % limits.LARGE_BODY] * (held > 0)
        sent = [send(intake, size, by.format(number), more=True) for number, size in enumerate(sizes)]
        tasks = [asyncio.create_task(each) for each in (*sent, send(intake, length, HERE, more=wait > 0, head=head))]
        await later()
        await later(wait)
        told = "" if wait and not tasks[-1].done() else tasks[-1].result()
        for task in tasks:
            task.cancel()
        return told

    return running(story)


async def send(intake: Intake, length: int, address: str, *, more: bool, head: int = 0) -> str:
    """Send a body, of which there may be more to come for ever, after a head of so many bytes."""
    pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    pieces.put_nowait({"type": "http.request", "body": bytes(length), "more_body": more})
    told: list[bytes] = []

    async def tell(message: dict[str, Any]) -> None:
        told.append(message.get("body", b""))

    headers = [(b"transfer-encoding", b"chunked")]
    path = b"/" * (head - len(b"transfer-encodingchunked") - 2)
    scope = {"type": "http", "method": "POST", "path": "/x/", "raw_path": path, "query_string": b"xy"}
    await intake({**scope, "client": (address, 1), "headers": headers}, pieces.get, tell)
    return b"".join(told).decode()


def connected(place: Place, others: int, seconds: float, sent: int = 0) -> str:
    """What the log tells if the oldest of several connections, without a head or with so much of one, was cut."""

    class Own(Connection):
        headless: dict[Connection, None] = {}
        complaints = type(Connection.complaints)()

    async def story() -> str:
        config = uvicorn.Config(nothing, http=Own, lifespan="off")
        config.load()
        made, ends = partial(Own, config, ServerState(), {}), []
        for _ in range(others + 1):
            ours, theirs = socket.socketpair()
            ends.append(theirs)
            await asyncio.get_running_loop().create_connection(made, sock=ours)
        if sent:
            for piece in (b"GET /", b"a" * (sent - 5)):
                next(iter(Own.headless)).data_received(piece)
        await later(seconds)
        told = place.log.text if len(Own.headless) <= others else ""
        for connection in [*Own.headless]:
            connection.transport.close()
        for end in ends:
            end.close()
        await later()
        return told

    return running(story)


def queued(place: Place, threads: int, line: int | None, before: int, address: str) -> str:
    """What the page tells who comes after so many others that are served or stand in line."""

    async def story() -> str:
        door = PlanThreads(crowded.append, wait_for_ever, threads, lambda _: True, line)
        tasks = [asyncio.create_task(ask(door)) for _ in range(before + 1)]
        await later()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return "crowded" if crowded.scopes else ""

    async def ask(door: PlanThreads) -> None:
        pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        pieces.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await door({"type": "http", "method": "POST", "path": address}, pieces.get, unheard)

    crowded = Crowded()
    return place.page(address, **{"asgi.scope": crowded.scopes[0]}) if running(story) else ""


async def unheard(_message: Any) -> None:
    """Nobody looks at what is sent."""


class Crowded:
    """The pages, which serve those that found no place."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []

    async def append(self, scope: dict[str, Any], *_: Any) -> None:
        """Remember one."""
        self.scopes.append(scope)


async def wait_for_ever(*_: Any) -> None:
    """A plan whose AWS hangs."""
    await asyncio.Event().wait()


def planned(place: Place, before: int) -> str:
    """What somebody is told who plans after so many others."""
    place.client.force_login(place.person)
    function = make_function(make_account(), "orders")
    return queued(place, settings.ENV.plan_threads, None, before, f"/functions/{function.pk}/deploy/")


def failed(times: int, age: float = 0.0, name: str = "olga", address: str = HERE) -> None:
    """So many failures of sign-ins, so many seconds ago; `{}` in name or address is numbered."""
    for number in range(times):
        sign_in.refused(name.format(number), address.format(number))
        AuditEntry.objects.filter(pk=AuditEntry.objects.latest("pk").pk).update(at=clock.now() - timedelta(seconds=age))


def after(place: Place, *failures: tuple[int, float], name: str = "olga", address: str = HERE) -> str:
    """What a sign-in is told after these failures: how many, how many seconds ago."""
    for times, age in failures:
        failed(times, age, name, address)
    return place.let_in()


def held_answer(seconds: int, others: int) -> str:
    """What is told who asks for an answer to be held for so long, beside others."""
    asked: list[bytes] = []

    async def django(scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked.append(scope["query_string"])
        headers = [(b"location", b"/api/v1/runs/999")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})

    async def heard(*_: Any) -> Any:
        return {"type": "http.disconnect"}

    async def story() -> None:
        served = WaitingAnswers(django, Hub())
        served.held = others
        scope = {"method": "POST", "path": "/api/v1/syncs", "query_string": b"wait=%d" % seconds, "headers": []}
        await served.serve(scope, heard, heard)

    asyncio.run(story())
    return "" if len(asked) == 2 else "answered at once"


def bots_stream(place: Place, others: int) -> str:
    """What a bot is told that opens a stream beside so many of its token."""
    made = tokens.make(Wanted(f"bot {others}", ["read"]), Actor(place.person))
    run = Run.objects.create(kind=Kind.SYNC, status=Status.RUNNING, title="Sync", created_at=clock.now())
    places = StreamPlaces()
    places.taken[made.row.secret_hash] = others
    client = Client(headers={"Authorization": f"Bearer {made.text}"})
    answer = client.get(f"/api/v1/runs/{run.pk}/events", **{"asgi.scope": {ADMISSION: Admission(places)}})  # type: ignore[arg-type]
    return str(answer.json()["detail"]) if answer.status_code == 429 else ""


def asked_by_token(times: int, rested: float) -> str:
    """What is told at the last of so many requests with a token that was at its limit `rested` seconds ago."""
    with redis.Redis.from_url(settings.ENV.redis_url) as client:
        due = client.time()[0] + client.time()[1] / 1e6 + limits.TOKEN_BURST / limits.TOKEN_RATE - rested
        client.set(f"{door.TURNS}1", due)
    answers = [door.too_often(1) for _ in range(times)]
    return answers[-1].content.decode() if answers[-1] is not None else ""


def ago(span: timedelta | float, *, within: bool) -> float:
    """Seconds: a little less than the span, or a little more."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    return seconds - 5 if within else seconds + 1


def known(place: Place, age: float) -> str:
    """What who signed in here so long ago is told while others try the same name."""
    sign_in.accepted(place.person, "olga", HERE)
    AuditEntry.objects.update(at=clock.now() - timedelta(seconds=age))
    return after(place, (limits.NAME_SIGN_INS, 0), address=OTHERS)


def event(length: int) -> str:
    """What an event of so many bytes is told."""
    try:
        read_event(b'{"a": "%b"}' % (b"x" * (length - 9)))
    except DrydockError as error:
        return error.problem.message
    return ""


def plan_threads(place: Place, threads: int) -> str:
    """What whoever sets so many threads is told."""
    try:
        given(place.folder, DRYDOCK_PLAN_THREADS=str(threads))
    except ValueError as error:
        return str(error)
    return ""


def filled(place: Place, fields: str) -> str:
    """What somebody who is signed in is told of a form."""
    place.client.force_login(place.person)
    return place.page("/sync/", fields, content_type=FORM)


def with_files(place: Place, files: int) -> str:
    """What a form with so many files is told."""
    place.client.force_login(place.person)
    return place.page("/sync/", {"a": "b"} | {f"f{n}": SimpleUploadedFile("x", b"y") for n in range(files)})


def asked_for(place: Place, fields: int) -> str:
    """What a page with so many fields in its query is told."""
    place.client.force_login(place.person)
    answer = place.client.get("/functions/?" + urlencode([("a", "b")] * fields))
    return answer.content.decode() if answer.status_code >= 400 else ""
