"""The hub's feeds, where one of them breaks by a defect."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock, runlog
from functions_app.models import Run
from functions_app.streams import hub as hub_module
from functions_app.streams.fleet_feed import FleetFeed
from functions_app.streams.hub import Hub, is_behind
from functions_app.streams.run_feed import Feed
from functions_app.streams.run_sources import RunJson, RunPage
from functions_app.streams.sign_in import Pass
from functions_app.streams.sources import Snapshot, Source, replay
from functions_app.streams.watcher import Watcher

OLGAS, RUN = Pass(1, "session"), RunPage(7)


async def broken(*_: Any) -> Any:
    """A reading with a defect."""
    raise KeyError("a defect")


async def silent(_: dict[str, Any]) -> None:
    """A connection that nobody reads and nobody closes."""


@pytest.mark.parametrize("run_id", [None, 7])
def test_whoever_comes_back_to_a_feed_that_broke_gets_another_although_somebody_still_hangs_on_the_old_one(
    run_id: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def come_back() -> tuple[bool, bool]:
        hub = Hub()
        monkeypatch.setattr(hub, "read", broken)  # the defect that is not known yet

        def join() -> Any:
            watcher = Watcher(silent, 0, OLGAS)
            return hub.join_fleet(watcher) if run_id is None else hub.join(RunPage(run_id), watcher)

        first = join()
        same = first is join()
        await asyncio.wait([first.task])
        other = join()
        hub.close()
        return same, first is other

    assert asyncio.run(come_back()) == (True, False)


def lines_of(run_id: int, *members: object) -> dict[str, Any]:
    """A message as Redis hands it over."""
    return {"type": "pmessage", "channel": f"drydock:run:{run_id}".encode(), "data": json.dumps(*members).encode()}


MALFORMED = [
    {"type": "pmessage", "channel": b"drydock:run:x", "data": b"{}"},
    {"type": "pmessage", "channel": b"drydock:run:7", "data": b"\xff not json"},
    lines_of(7, {"lines": [[1]]}),
    lines_of(7, {"lines": [[1, "2026-11-28T12:00:00+00:00", "info", "drydock", "text", "a field to come"]]}),
    lines_of(7, {"lines": [["one", "yesterday", "info", "drydock", "text"]]}),
    lines_of(7, [1, 2, 3]),
    lines_of(7, None),
    {"type": "pmessage", "channel": None, "data": None},
]


@pytest.mark.parametrize("message", MALFORMED)
def test_a_message_that_nobody_can_read_costs_itself_alone(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hear() -> tuple[bool, bool]:
        hub = Hub()
        monkeypatch.setattr(hub, "read", waiting)  # no database here: nothing is ever read
        feed = hub.join(RUN, Watcher(silent, 0, OLGAS))
        feed.stale = False
        hub._hear_safely(message)
        looks = feed.stale
        hub._hear_safely(lines_of(7, {"lines": [[1, "2026-11-28T12:00:00+00:00", "info", "drydock", "good"]]}))
        good = [line.text for line in feed.inbox] == ["good"]
        hub.close()
        return looks, good

    assert asyncio.run(hear()) == (True, True)


async def waiting(*_: Any) -> Any:
    """A reading that never ends."""
    await asyncio.Event().wait()


def test_a_part_that_breaks_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "POLL", 0.01)
    begun = []

    async def work() -> None:
        begun.append(1)
        raise KeyError("a defect")

    async def supervise() -> None:
        task = asyncio.create_task(hub_module._supervised(work))
        while len(begun) < 3:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(supervise(), 10))


def test_a_watcher_whose_connection_breaks_takes_nobody_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[bytes] = []

    async def breaks(_: dict[str, Any]) -> None:
        raise RuntimeError("a defect in one connection")

    async def keeps(message: dict[str, Any]) -> None:
        got.append(message["body"])

    async def broadcast() -> list[bool]:
        hub = Hub()
        monkeypatch.setattr(hub, "read", waiting)
        watchers = [Watcher(send, 0, OLGAS) for send in (breaks, keeps)]
        for watcher in watchers:
            feed = hub.join(RUN, watcher)
            watcher.live = True
        feed._broadcast(b"a line")
        hub.close()
        return [watcher.gone for watcher in watchers]

    assert asyncio.run(broadcast()) == [True, False]
    assert got == [b"a line"]


class Test_a_watched_run:
    KNOWN = Snapshot(3, line_count=5, ended=False, stranded=False, settled=False, frames=b"")

    @pytest.mark.parametrize(("changes", "news"), [({}, False), ({"revision": 4}, True), ({"line_count": 6}, True)])
    def test_is_read_again_where_the_database_has_more(self, changes: dict[str, int], news: bool) -> None:
        run = Run(status="running", lease_until=clock.now(), **{"revision": 3, "line_count": 5, **changes})

        assert is_behind(self.KNOWN, 5, run) is news

    def test_is_read_again_when_its_worker_falls_silent_which_nobody_writes_down(self) -> None:
        run = Run(status="running", lease_until=clock.now() - timedelta(minutes=3), revision=3, line_count=5)

        assert is_behind(self.KNOWN, 5, run)


def test_a_stranger_who_reads_nothing_keeps_no_other_stranger_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    async def full(_: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    async def hear(message: dict[str, Any]) -> None:
        told.append(message)

    async def nobody(*_: Any) -> set[Pass]:
        return set()

    async def guard() -> None:
        hub = Hub()
        monkeypatch.setattr(hub, "read", nobody)  # everybody has signed out
        hub.fleet = FleetFeed(broken)
        hub.fleet.watchers |= {Watcher(full, 0, Pass(1, "one")), Watcher(hear, 0, Pass(2, "two"))}
        await asyncio.wait_for(hub._end_strangers(), 5)
        await asyncio.sleep(0)
        hub.close()

    asyncio.run(guard())
    assert [message["body"] for message in told] == [b"event: bye\ndata: sign in\n\n"]


def test_a_page_that_is_not_taken_is_held_in_a_piece_and_what_ends_it_is_no_part_of_it() -> None:
    sent: list[bytes] = []

    async def go_on() -> None:
        taken = asyncio.Event()

        async def slow(message: dict[str, Any]) -> None:
            sent.append(message["body"])
            if message["more_body"]:
                await taken.wait()

        watcher = Watcher(slow, 0, OLGAS)
        page = asyncio.create_task(watcher.write(b"data: " + b"x" * 1_000_000 + b"\n\n"))
        await asyncio.sleep(0)
        await watcher.write(b"event: bye\ndata: come back\n\n", more=False)
        taken.set()
        await page

    asyncio.run(go_on())
    assert len(sent) == 2
    assert len(sent[0]) < 100_000
    assert sent[1] == b""


def test_of_pages_with_the_longest_lines_few_are_kept_for_those_who_follow() -> None:
    async def read(function: Any, *_: Any) -> Any:
        return (0, b"x" * 8_000_000) if function is replay else None

    async def go_on() -> int:
        feed = Feed(RUN, read)
        feed.sequence = 1_000_000
        for after in range(0, 20_000, 1_000):
            await feed._page(after, feed.sequence)
        feed.task.cancel()
        return sum(len(page.result()[1]) for page in feed._pages.values())

    assert asyncio.run(go_on()) < 32_000_000


LONG, SHORT = "x" * 8_000, "x" * 90


@pytest.mark.django_db
@pytest.mark.parametrize("texts", [[LONG] * 400, [SHORT] * 2_500, [SHORT] * 20 + [LONG] * 300, [LONG] * 20 + [""] * 50])
@pytest.mark.parametrize(("source", "line"), [(RunPage, b'id="L'), (RunJson, b"event: log\n")])
def test_a_page_of_a_log_is_small_however_long_its_lines_and_no_line_is_left_out(
    texts: list[str], source: Callable[[int], Source], line: bytes
) -> None:
    run = Run.objects.create(kind="sync", status="running", title="Long", created_at=clock.now(), actor_name="x")
    runlog.append(run.pk, [(clock.now(), "info", "function", text) for text in texts])

    after, seen, sizes = 0, 0, []
    while after < len(texts):
        after, body = replay(source(run.pk), after, min(len(texts), after + runlog.PAGE))
        seen += body.count(line)
        sizes.append(len(body))

    assert max(sizes) < 1_000_000
    assert seen == len(texts)


def test_a_burst_is_not_handed_whole_to_those_who_do_not_read() -> None:
    texts = dict.fromkeys(range(1, 1001), LONG)
    sent: list[int] = []

    async def slow(message: dict[str, Any]) -> None:
        sent.append(len(message["body"]))
        await asyncio.Event().wait()

    async def read(function: Any, *given: Any) -> Any:
        if function is replay:
            _, after, until = given
            return until, b"x" * 8_000 * (until - after)
        return function(*given) if function == RUN.frame else None

    async def go_on() -> None:
        feed = Feed(RUN, read)
        feed.task.cancel()
        feed.stale = False
        for number in range(20):
            watcher = Watcher(slow, 0, Pass(number, f"session {number}"))
            watcher.live = True
            feed.watchers.add(watcher)
        feed.inbox = [runlog.Line(number, clock.now(), "info", "function", text) for number, text in texts.items()]
        await feed._step()
        for _ in range(5):
            await asyncio.sleep(0)
        for task in feed._catching_up:
            task.cancel()

    asyncio.run(go_on())
    assert len(sent) == 20
    assert max(sent) <= 64 * 1024
