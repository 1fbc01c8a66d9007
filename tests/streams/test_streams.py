"""The live stream of a run, read from a real web server: replay, live, resume, end; losses filled; who may watch."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from functions_app import clock, runlog
from functions_app.domain.runs import Kind, Status, StepStatus
from functions_app.models import BrowserSession, Run, RunStep
from functions_app.services.engine.leases import Lease
from functions_app.services.snapshot import fleet_revision
from tests.conftest import Valkey
from tests.processes import Process, eventually, web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Event:
    """A server-sent event as a browser sees it."""

    name: str
    data: str
    identity: str


@dataclass
class Site:
    """A web server and somebody who is signed in."""

    process: Process
    url: str
    cookie: str

    def open(self, run: Run, after: int = 0, last_event_id: str = "", cookie: str | None = None) -> httpx.Client:
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        return httpx.Client(base_url=self.url, headers=headers, timeout=httpx.Timeout(20))

    def watch(
        self,
        run: Run,
        until: Callable[[list[Event]], bool],
        after: int = 0,
        last_event_id: str = "",
        begun: threading.Event | None = None,
    ) -> list[Event]:
        """Read events until enough, or the stream's end."""
        found: list[Event] = []
        begun = begun or threading.Event()
        with (
            self.open(run, after, last_event_id) as client,
            client.stream("GET", f"/events/runs/{run.pk}", params={"after": after}) as response,
        ):
            assert response.status_code == 200
            for event in events(response.iter_lines()):
                found.append(event)
                if event.name == "status":  # sent when everything stored has been replayed
                    begun.set()
                if until(found):
                    break
        return found

    def follow(self, pool: ThreadPoolExecutor, run: Run, until: Callable[[list[Event]], bool]) -> "Future[list[Event]]":
        """Watch in a thread; returns when that stream is live."""
        begun = threading.Event()
        watching = pool.submit(self.watch, run, until, begun=begun)
        assert begun.wait(20)
        return watching


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Parse server-sent events."""
    name, data, identity = "", [], ""
    for line in lines:
        if line:
            field, _, value = line.partition(": ")
            name = value if field == "event" else name
            identity = value if field == "id" else identity
            data += [value] if field == "data" else []
            continue
        if data:
            yield Event(name, "\n".join(data), identity)
        name, data, identity = "", [], ""


def numbers(found: list[Event]) -> list[int]:
    """The numbers of the log lines in these events."""
    text = "".join(event.data for event in found if not event.name)
    return [int(part.split('"', 1)[0]) for part in text.split('data-n="')[1:]]


def names(found: list[Event]) -> list[str]:
    return [event.name for event in found if event.name]


def has(count: int) -> Callable[[list[Event]], bool]:
    return lambda found: len(numbers(found)) >= count


def over(found: list[Event]) -> bool:
    return bool(found) and found[-1].name == "eof"


@pytest.fixture
def cookie(viewer: User, client: Client) -> str:
    client.force_login(viewer)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.fixture
def site(process_environment: dict[str, str], tmp_path: Path, cookie: str) -> Iterator[Site]:
    with web(process_environment, tmp_path) as (process, port):
        yield Site(process, f"http://127.0.0.1:{port}", cookie)


@pytest.fixture
def run() -> Run:
    run = Run.objects.create(kind=Kind.DEPLOYMENT, status=Status.QUEUED, title="A change", created_at=clock.now())
    RunStep.objects.create(run=run, position=1, name="one", title="The first step", status=StepStatus.PENDING)
    return run


def claim(run: Run) -> Lease:
    claimed = Lease.claim(run.pk, "tests")
    assert claimed is not None
    return claimed[0]


def write(run: Run, count: int, text: str = "line") -> None:
    runlog.append(run.pk, [(clock.now(), "info", "drydock", f"{text} {number}") for number in range(count)])


@pytest.fixture
def later() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def test_an_ended_run_is_replayed_whole_and_the_stream_ends_with_the_count(site: Site, run: Run) -> None:
    lease = claim(run)
    write(run, 2_345)
    lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
    found = site.watch(run, over)
    assert numbers(found) == list(range(1, 2_346))
    assert json.loads(found[-1].data) == {"lines": 2_345}
    assert found[-1].identity == "2345"


def test_lines_arrive_as_they_are_written(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    claim(run)
    write(run, 3)
    watching = site.follow(later, run, has(8))
    write(run, 5)
    assert numbers(watching.result(20)) == list(range(1, 9))


def test_steps_and_status_are_sent_when_they_change(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    watching = site.follow(later, run, over)
    lease = claim(run)
    step = run.steps.get()
    step.status, step.note = StepStatus.DONE, "all <well>"
    lease.write(step=step)
    lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
    found = watching.result(20)
    assert any("all &lt;well&gt;" in event.data for event in found if event.name == "steps")
    assert any("data-ended" in event.data for event in found if event.name == "status")
    assert names(found)[-1] == "eof"


def test_an_open_page_hears_that_its_run_has_no_worker_any_more(
    site: Site, run: Run, later: ThreadPoolExecutor
) -> None:
    claim(run)
    watching = site.follow(later, run, lambda found: "No worker is at it" in found[-1].data)
    Run.objects.update(lease_until=clock.now() - timedelta(minutes=3))  # nobody writes that: time does

    assert watching.result(40)[-1].name == "outcome"


def test_a_stream_resumes_exactly_after_the_last_event_id(site: Site, run: Run) -> None:
    claim(run)
    write(run, 50)
    assert numbers(site.watch(run, has(20), last_event_id="30")) == list(range(31, 51))
    assert numbers(site.watch(run, has(10), after=40)) == list(range(41, 51))
    assert numbers(site.watch(run, has(5), after=10, last_event_id="45")) == list(range(46, 51)), "the header wins"


def test_dropping_again_and_again_loses_and_doubles_nothing(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    claim(run)

    def chatter() -> None:
        try:
            for _ in range(60):
                write(run, 5)
                time.sleep(0.02)
        finally:
            connections.close_all()

    writing = later.submit(chatter)
    seen: list[int] = []
    while len(seen) < 300:
        found = site.watch(run, has(min(7, 300 - len(seen))), last_event_id=str(seen[-1]) if seen else "")
        seen += numbers(found)
    writing.result(20)
    assert seen == list(range(1, 301))


def test_many_watchers_get_the_same_lines(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    lease = claim(run)
    write(run, 10)
    watching = [site.follow(later, run, over) for _ in range(12)]
    for _ in range(20):
        write(run, 10)
        time.sleep(0.02)
    lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
    assert {tuple(numbers(one.result(20))) for one in watching} == {tuple(range(1, 211))}


def test_messages_that_redis_lost_are_filled_from_the_database(
    site: Site, run: Run, later: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(run)
    write(run, 1)
    watching = site.follow(later, run, has(6))
    with monkeypatch.context() as patch:
        patch.setattr(runlog, "publish", lambda run_id, message: None)  # no test can make Redis lose a message
        write(run, 4)
    write(run, 1)
    assert numbers(watching.result(20)) == list(range(1, 7))


def test_without_redis_the_database_is_asked(site: Site, run: Run, later: ThreadPoolExecutor, valkey: Valkey) -> None:
    claim(run)
    write(run, 1)
    watching = site.follow(later, run, has(4))
    valkey.stop()
    try:
        write(run, 2)
        time.sleep(0.2)
    finally:
        valkey.start()
    write(run, 1)
    assert numbers(watching.result(20)) == [1, 2, 3, 4]


def test_a_watcher_that_does_not_read_keeps_nobody_waiting_and_misses_nothing(
    site: Site, run: Run, later: ThreadPoolExecutor
) -> None:
    lease = claim(run)
    write(run, 1)
    slow: list[Event] = []
    with site.open(run) as client, client.stream("GET", f"/events/runs/{run.pk}") as response:
        lines = response.iter_lines()
        while not numbers(slow):
            slow.append(next(events(lines)))
        watching = site.follow(later, run, has(40_001))
        for _ in range(40):
            write(run, 1_000, "x" * 200)  # 8 MB: more than the sockets hold
        assert len(numbers(watching.result(60))) == 40_001
        lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
        slow += events(lines)
    assert numbers(slow) == list(range(1, 40_002))
    assert slow[-1].name == "eof"


def test_sigterm_ends_streams_and_server_at_once(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    claim(run)
    write(run, 1)
    watching = site.follow(later, run, lambda found: False)
    site.process.process.send_signal(signal.SIGTERM)
    found = watching.result(10)
    assert names(found)[-1] == "bye"
    site.process.process.wait(5)


class Test_who_may_watch:
    def test_somebody_who_is_not_signed_in_may_not(self, site: Site, run: Run) -> None:
        for cookie in ("", f"{settings.SESSION_COOKIE_NAME}=invented"):
            with site.open(run, cookie=cookie) as client:
                answer = client.get(f"/events/runs/{run.pk}")
            assert answer.status_code == 401
            assert answer.headers["HX-Reswap"] == "none"

    def test_a_run_that_does_not_exist_is_not_found(self, site: Site, run: Run) -> None:
        with site.open(run) as client:
            assert client.get("/events/runs/999999").status_code == 404
            assert client.get("/events/elsewhere").status_code == 404

    def test_nobody_may_open_more_streams_than_the_limit_and_a_closed_one_makes_room(
        self, process_environment: dict[str, str], tmp_path: Path, run: Run, cookie: str
    ) -> None:
        environment = {**process_environment, "DRYDOCK_STREAMS_PER_PERSON": "1"}
        with web(environment, tmp_path) as (process, port):
            site = Site(process, f"http://127.0.0.1:{port}", cookie)
            with site.open(run) as client, client.stream("GET", f"/events/runs/{run.pk}") as open_one:
                assert open_one.status_code == 200
                refused = client.get(f"/events/runs/{run.pk}")
                assert refused.status_code == 429
                assert "You have 1 live pages open here" in refused.text
            with site.open(run) as client:

                def admitted() -> bool:
                    with client.stream("GET", f"/events/runs/{run.pk}") as response:
                        return response.status_code == 200

                eventually(admitted, "the closed stream is forgotten")

    def test_another_host_is_not_answered(self, site: Site, run: Run) -> None:
        with site.open(run) as client:
            answer = client.get(f"/events/runs/{run.pk}", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.text) == (400, "Drydock does not answer to this host name.")

    def test_only_get_is_answered(self, site: Site, run: Run) -> None:
        with site.open(run) as client:
            assert client.post(f"/events/runs/{run.pk}").status_code == 405


def test_over_https_a_stream_says_for_how_long_browsers_keep_to_it(
    process_environment: dict[str, str], tmp_path: Path, run: Run, cookie: str
) -> None:
    with web({**process_environment, "DRYDOCK_HTTPS": "1"}, tmp_path) as (process, port):
        site = Site(process, f"http://127.0.0.1:{port}", cookie)
        with site.open(run) as client, client.stream("GET", f"/events/runs/{run.pk}") as response:
            assert response.status_code == 200
            assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_pages_are_served_beside_the_streams(site: Site, run: Run) -> None:
    with site.open(run) as client:
        answer = client.get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    assert "The first step" in answer.text


def fleet(site: Site, until: Callable[[list[Event]], bool], begun: threading.Event | None = None) -> list[Event]:
    """Read the fleet's stream until enough, or its end."""
    found: list[Event] = []
    with (
        httpx.Client(base_url=site.url, headers={"Cookie": site.cookie}, timeout=httpx.Timeout(40)) as client,
        client.stream("GET", "/events/fleet") as response,
    ):
        assert response.status_code == 200
        for event in events(response.iter_lines()):
            found.append(event)
            if begun:
                begun.set()
            if until(found):
                break
    return found


def states(found: list[Event]) -> list[dict[str, int]]:
    return [json.loads(event.data) for event in found if event.name == "fleet"]


def test_an_open_page_is_told_at_once_how_the_fleet_stands(site: Site, run: Run) -> None:
    fleet_revision.changed()
    assert states(fleet(site, lambda found: bool(found))) == [{"revision": 1, "running": 1, "troubles": 0}]


def test_an_open_page_hears_of_a_change_and_of_runs_that_begin_and_end(
    site: Site, run: Run, later: ThreadPoolExecutor
) -> None:
    begun = threading.Event()
    watching = later.submit(
        fleet, site, lambda found: states(found)[-1] == {"revision": 1, "running": 0, "troubles": 0}, begun
    )
    assert begun.wait(20)
    fleet_revision.changed()
    lease = claim(run)
    lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
    assert states(watching.result(20))[0] == {"revision": 0, "running": 1, "troubles": 0}


def test_an_open_page_hears_of_changes_while_redis_is_away(
    site: Site, run: Run, valkey: Valkey, later: ThreadPoolExecutor
) -> None:
    begun = threading.Event()
    watching = later.submit(fleet, site, lambda found: states(found)[-1]["revision"] == 1, begun)
    assert begun.wait(20)
    valkey.stop()
    try:
        fleet_revision.changed()
        assert states(watching.result(20))[-1]["revision"] == 1
    finally:
        valkey.start()


def test_a_log_out_ends_what_that_session_watches(site: Site, run: Run, later: ThreadPoolExecutor) -> None:
    claim(run)
    begun = threading.Event()
    pages = [
        later.submit(fleet, site, lambda found: False, begun),
        site.follow(later, run, lambda found: False),
    ]
    assert begun.wait(20)
    BrowserSession.objects.all().delete()
    assert [page.result(40)[-1].name for page in pages] == ["bye", "bye"]
