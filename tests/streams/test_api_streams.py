"""A run followed over the API, asked of a real web process: all of its log once, how it stands, its end; for whom."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connections

from functions_app import clock, eventlog, runlog
from functions_app.domain.events import EventKind
from functions_app.domain.runs import Kind, Status, StepStatus
from functions_app.models import ApiToken, Run, RunStep
from functions_app.services.engine.leases import Lease
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.factories import make_account, make_function
from tests.streams.test_streams import Event, events

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
Enough = Callable[[list[Event]], bool]


@pytest.fixture
def bot(unknown: httpx.Client, viewer: User) -> httpx.Client:
    """A bot of somebody who may look."""
    unknown.headers["Authorization"] = f"Bearer {tokens.make(Wanted('bot', ['read']), Actor(viewer)).text}"
    return unknown


@pytest.fixture
def run() -> Run:
    """A run that a worker has begun."""
    run = Run.objects.create(kind=Kind.DEPLOYMENT, status=Status.QUEUED, title="A change", created_at=clock.now())
    RunStep.objects.create(run=run, position=1, name="one", title="The first step", status=StepStatus.PENDING)
    return run


@pytest.fixture
def lease(run: Run) -> Lease:
    """Its worker's."""
    claimed = Lease.claim(run.pk, "tests")
    assert claimed is not None
    return claimed[0]


@pytest.fixture
def later() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def write(run: Run, count: int) -> None:
    runlog.append(run.pk, [(clock.now(), "info", "drydock", f"line {number}") for number in range(count)])


def follow(bot: httpx.Client, run: Run, enough: Enough, last: int = 0, query: str = "") -> list[Event]:
    """What comes until it is enough, or the stream's end."""
    found: list[Event] = []
    headers = {"Last-Event-ID": str(last)} if last else {}
    with bot.stream("GET", f"/runs/{run.pk}/events{query}", headers=headers) as response:
        assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
        for event in events(response.iter_lines()):
            found.append(event)
            if enough(found):
                break
    return found


def follow_later(
    pool: ThreadPoolExecutor, bot: httpx.Client, run: Run, enough: Enough
) -> tuple["Future[list[Event]]", "Future[None]"]:
    """The same in a thread; and a future that is done once the first event has come."""
    begun: Future[None] = Future()

    def heard(found: list[Event]) -> bool:
        if not begun.done():
            begun.set_result(None)
        return enough(found)

    return pool.submit(follow, bot, run, heard), begun


def numbers(found: list[Event]) -> list[int]:
    """The numbers of the lines, which are the ids of their events."""
    lines = [(json.loads(event.data)["sequence"], event.identity) for event in found if event.name == "log"]
    assert all(str(number) == identity for number, identity in lines)
    return [number for number, _ in lines]


def states(found: list[Event]) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in found if event.name == "state"]


def over(found: list[Event]) -> bool:
    return found[-1].name in ("eof", "bye")


def has(count: int) -> Enough:
    return lambda found: len(numbers(found)) >= count


def test_a_run_that_has_ended_is_told_whole_as_it_is_answered_and_its_stream_ends_with_the_count(
    bot: httpx.Client, run: Run, lease: Lease
) -> None:
    write(run, 1_234)
    lease.write(to=Status.SUCCEEDED, ended_at=clock.now(), result={"summary": "Done.", "password": "hunter22hunter22"})
    found = follow(bot, run, over)
    answer = bot.get(f"/runs/{run.pk}").json()
    assert numbers(found) == list(range(1, 1_235))
    beside = {"url", "planned", "progress_done", "progress_total", "progress_unit"}
    assert states(found) == [{name: value for name, value in answer.items() if name not in beside}]
    assert (answer["settled"], answer["text"]) == (True, f"Run {run.pk} succeeded: Done.")
    assert (found[-1].name, json.loads(found[-1].data), found[-1].identity) == ("eof", {"lines": 1_234}, "1234")
    assert "hunter22" not in "".join(event.data for event in found)


def test_lines_steps_and_the_end_are_told_as_they_come(
    bot: httpx.Client, run: Run, lease: Lease, later: ThreadPoolExecutor
) -> None:
    write(run, 3)
    watching, begun = follow_later(later, bot, run, over)
    begun.result(30)
    write(run, 5)
    step = run.steps.get()
    step.status, step.note = StepStatus.DONE, "all <well>"
    lease.write(step=step)
    lease.write(to=Status.FAILED, ended_at=clock.now())
    found = watching.result(30)
    assert numbers(found) == list(range(1, 9))
    assert states(found)[-1]["status"] == "failed"
    assert states(found)[-1]["steps"] == [{"title": "The first step", "status": "done", "note": "all <well>"}]


def test_a_stream_goes_on_after_the_last_line_that_came(bot: httpx.Client, run: Run, lease: Lease) -> None:
    write(run, 50)
    assert numbers(follow(bot, run, has(20), last=30)) == list(range(31, 51))
    assert numbers(follow(bot, run, has(10), query="?after=40")) == list(range(41, 51))
    assert numbers(follow(bot, run, has(5), last=45, query="?after=10")) == list(range(46, 51)), "the header counts"


def test_streams_that_break_again_and_again_lose_and_double_nothing(
    bot: httpx.Client, run: Run, lease: Lease, later: ThreadPoolExecutor
) -> None:

    def chatter() -> None:
        try:
            for _ in range(40):
                write(run, 3)
        finally:
            connections.close_all()

    writing = later.submit(chatter)
    seen: list[int] = []
    while len(seen) < 120:
        seen += numbers(follow(bot, run, has(min(7, 120 - len(seen))), last=seen[-1] if seen else 0))
    writing.result(30)
    assert seen == list(range(1, 121))


class Test_what_is_no_stream:
    @pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
    def test_is_any_other_method(self, bot: httpx.Client, run: Run, method: str) -> None:
        answer = bot.request(method, f"/runs/{run.pk}/events")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/runs/999999/events", 404), ("/runs/{}/events?after=-1", 422), ("/runs/{}/events?wait=5", 422)],
    )
    def test_is_told_as_a_problem_with_the_requests_id(
        self, bot: httpx.Client, run: Run, path: str, status: int
    ) -> None:
        answer = bot.get(path.format(run.pk), headers={"X-Request-Id": "ci-7"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert answer.headers["X-Request-Id"] == "ci-7"

    def test_is_without_a_token_or_out_of_its_reach(
        self, unknown: httpx.Client, run: Run, lease: Lease, viewer: User
    ) -> None:
        some = tokens.make(Wanted("some", ["read"], accounts=[make_account().account_id]), Actor(viewer))
        for header, status in (("", 401), (f"Bearer {some.text}", 404)):
            answer = unknown.get(f"/runs/{run.pk}/events", headers={"Authorization": header})
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_stream_ends_when_its_token_does(
    bot: httpx.Client, run: Run, lease: Lease, later: ThreadPoolExecutor
) -> None:
    watching, begun = follow_later(later, bot, run, over)
    begun.result(30)
    ApiToken.objects.update(revoked_at=clock.now())
    found = watching.result(60)
    assert (found[-1].name, found[-1].data) == ("bye", "sign in")


class Test_everything_that_happens:
    @staticmethod
    def follow(bot: httpx.Client, enough: Enough, begun: "Future[None] | None" = None, last: str = "") -> list[Event]:
        """What comes until it is enough."""
        found: list[Event] = []
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
        with bot.stream("GET", "/events", headers=headers) as response:
            assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
            for line in response.iter_lines():
                if begun is not None and not begun.done():
                    begun.set_result(None)
                name, _, value = line.partition(": ")
                found += [Event("", value, "")] if name == "data" else []
                if found and enough(found):
                    break
        return found

    def test_comes_as_it_happens_from_now_on_and_after_a_break_from_there(
        self, bot: httpx.Client, run: Run, lease: Lease, later: ThreadPoolExecutor
    ) -> None:
        happen("before")
        begun: Future[None] = Future()
        watching = later.submit(self.follow, bot, lambda found: len(found) == 2, begun)
        begun.result(30)
        happen("first")
        lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
        found = [json.loads(event.data) for event in watching.result(30)]
        assert [event["text"] for event in found] == ["first", f"Run {run.pk} succeeded: A change"]
        again = self.follow(bot, lambda found: len(found) == 1, last=str(found[0]["sequence"]))
        assert json.loads(again[0].data) == found[1]

    def test_within_a_tokens_reach_alone(self, unknown: httpx.Client, viewer: User, later: ThreadPoolExecutor) -> None:
        ours, others = (make_function(make_account(), name).arn for name in ("billing-api", "orders"))
        some = tokens.make(Wanted("some", ["read"], functions=["billing-*"]), Actor(viewer))
        unknown.headers["Authorization"] = f"Bearer {some.text}"
        begun: Future[None] = Future()
        watching = later.submit(self.follow, unknown, lambda found: len(found) == 2, begun)
        begun.result(30)
        for arn, text in ((others, "not told"), (ours, "one"), ("", "not told"), (ours, "two")):
            happen(text, arn)
        assert [json.loads(event.data)["text"] for event in watching.result(30)] == ["one", "two"]

    def test_is_waited_for_by_who_asks_for_a_page(self, bot: httpx.Client, later: ThreadPoolExecutor) -> None:
        happen("before")
        last = bot.get("/events").json()["last"]
        asking = later.submit(bot.get, f"/events?after={last}&wait=25&kind=run.ended")
        happen("another kind", kind=EventKind.RUN_BEGUN)
        happen("the news")
        told = asking.result(30).json()
        assert ([event["text"] for event in told["events"]], told["last"]) == (["the news"], last + 2)

    def test_is_not_waited_for_longer_than_asked(self, bot: httpx.Client) -> None:
        answer = bot.get("/events?wait=1")
        assert (answer.status_code, answer.json()["events"]) == (200, [])


def happen(text: str, arn: str = "", kind: EventKind = EventKind.RUN_ENDED) -> None:
    eventlog.tell(eventlog.event(kind, text, arn=arn))
