"""Who gets a queue's threads: children at most half of them, so that what people start finds one at once."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from functions_app.domain.runs import Kind, Queue, SignalKind, Status
from functions_app.models import Run
from functions_app.services.engine import hand_out, runs, shares, signals
from functions_app.services.engine.leases import Lease
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.processes import beat, eventually, worker
from tests.run_kinds import count
from tests.services.engine.test_children import carry_on, leave, submit
from tests.services.engine.test_runs import submit as submit_change
from tests.services.engine.test_tick import told_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "test_kinds")]
THREADS = 4


@pytest.fixture
def test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"
    with_threads(settings, THREADS)


def with_threads(settings: Settings, number: int) -> None:
    threads = {**settings.ENV.worker_threads, Queue.CHANGES.value: number}
    settings.ENV = dataclasses.replace(settings.ENV, worker_threads=threads)


def family(folder: Path, number: int, **child: object) -> list[Run]:
    """Children that are due, and that nobody was told of."""
    parent = carry_on(submit(folder, number, at_once=number, child=child))
    return list(parent.children.order_by("pk"))


@contextmanager
def at_work(*given: Run, until: Path) -> Iterator[None]:
    """A worker's thread for each run, all told at the very same moment; they end once the file is there."""
    start = threading.Barrier(len(given))

    def work(run: Run) -> None:
        try:
            start.wait(10)
            runs.execute(run.pk, f"worker {run.pk}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[run]) for run in given]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        until.touch()
        for thread in threads:
            thread.join()


class Test_children_at_work:
    @pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
    def test_have_half_of_the_threads_and_one_at_least(self, settings: Settings, threads: int, most: int) -> None:
        with_threads(settings, threads)
        assert shares.at_most(Queue.CHANGES) == most

    def test_are_never_more_though_workers_claim_them_at_the_same_moment(self, tmp_path: Path) -> None:
        children = family(tmp_path, 6, block=True)
        with at_work(*children, until=tmp_path / "go"):
            time.sleep(1.5)
            assert count(tmp_path, "prepare") <= THREADS // 2
            assert shares.at_work(Queue.CHANGES) == count(tmp_path, "prepare")

    def test_leave_as_it_was_what_finds_no_room(self, tmp_path: Path) -> None:
        first, second, third = family(tmp_path, 3, block=True)
        with at_work(first, second, until=tmp_path / "go"):
            eventually(lambda: count(tmp_path, "change") == 2, "two are at work")
            before = Run.objects.get(pk=third.pk)
            assert runs.execute(third.pk, "a third") is False
            after = Run.objects.get(pk=third.pk)
        assert after.status == Status.QUEUED
        assert (after.lease_owner, after.lease_until, after.started_at, after.attempts) == ("", None, None, 0)
        assert after.wake_at == before.wake_at
        assert carry_on(third).status == Status.SUCCEEDED

    def test_let_a_persons_run_start_at_once(self, tmp_path: Path, operator: Actor) -> None:
        first, second = family(tmp_path, 2, block=True)
        with at_work(first, second, until=tmp_path / "go"):
            eventually(lambda: count(tmp_path, "change") == 2, "two are at work")
            assert carry_on(submit_change(tmp_path, operator)).status == Status.SUCCEEDED

    def test_do_not_count_where_their_worker_vanished(self, tmp_path: Path) -> None:
        children = family(tmp_path, 4)
        for child in children[:2]:
            assert Lease.claim(child.pk, "vanished") is not None
        assert shares.at_work(Queue.CHANGES) == 2
        leave(children[0])
        assert shares.at_work(Queue.CHANGES) == 1

    def test_that_wait_have_no_thread(self, tmp_path: Path) -> None:
        for child in family(tmp_path, 3, waits=3, seconds=3000):
            assert carry_on(child).status == Status.WAITING
        assert shares.at_work(Queue.CHANGES) == 0


class Test_the_tick:
    def test_tells_of_so_many_children_as_may_be_at_work(self, tmp_path: Path, valkey: Valkey) -> None:
        children = family(tmp_path, 10)
        valkey.flush()
        assert [hand_out.hand_out_due() for _ in range(3)] == [2, 0, 0]
        assert told_on("changes", valkey)[::-1] == [f"[{child.pk}]" for child in children[:2]]

    def test_tells_of_the_next_as_the_first_come_to_their_end(self, tmp_path: Path) -> None:
        children = family(tmp_path, 4)
        assert hand_out.hand_out_due() == 2
        carry_on(children[0])
        assert hand_out.hand_out_due() == 1
        carry_on(children[1])
        carry_on(children[2])
        assert hand_out.hand_out_due() == 1

    def test_tells_of_none_while_all_that_may_be_are_at_work(self, tmp_path: Path) -> None:
        for child in family(tmp_path, 10)[:2]:
            assert Lease.claim(child.pk, "at work") is not None
        assert hand_out.hand_out_due() == 0

    def test_tells_of_those_whose_workers_vanished_though_they_were_all_that_may_be(self, tmp_path: Path) -> None:
        for child in family(tmp_path, 10)[:2]:
            assert Lease.claim(child.pk, "vanished") is not None
            leave(child)
        assert hand_out.hand_out_due() == 2

    def test_tells_again_of_children_that_a_flushed_redis_lost(
        self, tmp_path: Path, settings: Settings, valkey: Valkey
    ) -> None:
        family(tmp_path, 10)
        assert hand_out.hand_out_due() == 2
        valkey.flush()
        for second, told in ((4, 0), (6, 2), (7, 0)):
            settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=timedelta(seconds=second))
            assert hand_out.hand_out_due() == told

    def test_tells_of_all_children_in_the_end(self, tmp_path: Path) -> None:
        children = family(tmp_path, 10)
        for _ in range(5):
            hand_out.hand_out_due()
            for child in Run.objects.filter(parent__isnull=False, handed_out_at__isnull=False, status=Status.QUEUED):
                carry_on(child)
        assert {Run.objects.get(pk=child.pk).status for child in children} == {Status.SUCCEEDED}

    def test_tells_of_what_people_started_however_many_children_are_due(
        self, tmp_path: Path, operator: Actor, valkey: Valkey
    ) -> None:
        family(tmp_path, 10)
        mine = submit_change(tmp_path, operator)
        Run.objects.filter(pk=mine.pk).update(handed_out_at=None)
        valkey.flush()
        assert hand_out.hand_out_due() == 3
        assert told_on("changes", valkey)[-1] == f"[{mine.pk}]"


class Test_what_can_wait:
    def test_gives_way_to_a_persons_run_that_has_no_worker_yet(self, tmp_path: Path, operator: Actor) -> None:
        due, mine = submit_change(tmp_path), submit_change(tmp_path, operator)
        assert runs.execute(due.pk, "worker") is False
        due.refresh_from_db()
        assert (due.status, due.handed_out_at) == (Status.QUEUED, None)
        assert carry_on(mine).status == Status.SUCCEEDED
        assert hand_out.hand_out_due() == 1
        assert carry_on(due).status == Status.SUCCEEDED

    def test_gives_way_when_its_wait_is_over_too(self, tmp_path: Path, operator: Actor) -> None:
        waiting = carry_on(submit_change(tmp_path, waits=1, seconds=0))
        submit_change(tmp_path, operator)
        assert runs.execute(waiting.pk, "worker") is False
        assert carry_on(waiting).status == Status.WAITING

    def test_gives_no_way_to_a_run_of_another_queue(self, tmp_path: Path, operator: Actor) -> None:
        runs.submit(Kind.INVOCATION, title="Send", plan={"folder": str(tmp_path)}, actor=operator)
        assert carry_on(submit_change(tmp_path)).status == Status.SUCCEEDED

    def test_gives_no_way_to_a_run_that_is_not_due(self, tmp_path: Path, operator: Actor) -> None:
        carry_on(submit_change(tmp_path, operator, waits=1, seconds=3000))
        assert carry_on(submit_change(tmp_path)).status == Status.SUCCEEDED

    def test_gives_no_way_once_it_is_asked_to_end(self, tmp_path: Path, operator: Actor) -> None:
        mine, due = submit_change(tmp_path, operator), submit_change(tmp_path)
        signals.give(due, SignalKind.CANCEL, operator)
        assert carry_on(due).status == Status.CANCELLED
        assert Run.objects.get(pk=mine.pk).status == Status.QUEUED

    def test_gives_no_way_when_its_worker_vanished(self, tmp_path: Path, operator: Actor) -> None:
        due = submit_change(tmp_path)
        assert Lease.claim(due.pk, "vanished") is not None
        leave(due)
        submit_change(tmp_path, operator)
        assert carry_on(due).status == Status.SUCCEEDED


def overlap(given: list[Run]) -> int:
    """How many of these were at work at once, at most."""
    begun = [(run.started_at, 1) for run in given if run.started_at]
    over = [(run.ended_at, -1) for run in given if run.ended_at]
    now = most = 0
    for _, change in sorted(begun + over):
        now += change
        most = max(most, now)
    return most


@pytest.mark.timeout(180)
def test_a_worker_with_four_threads_has_two_for_children_and_starts_a_persons_run_at_once(
    process_environment: dict[str, str], tmp_path: Path, operator: Actor, valkey: Valkey
) -> None:
    environment = {**process_environment, "DRYDOCK_WORKER_THREADS": f"changes={THREADS}"}
    mine = tmp_path / "mine"
    mine.mkdir()
    with (
        worker(environment, tmp_path, "changes", [Queue.CHANGES], THREADS),
        worker(environment, tmp_path, "others", [Queue.TICK, Queue.READING], 2),
        beat(environment, tmp_path),
    ):
        parent = submit(tmp_path, 10, at_once=10, actor=operator, child={"block": True})
        eventually(lambda: count(tmp_path, "change") == 2, "two children are at work")
        valkey.flush()
        told = time.monotonic()
        quick = submit_change(mine, operator)
        eventually(lambda: count(mine, "change") == 1, "the person's run is at work")
        assert time.monotonic() - told < 3
        time.sleep(5)  # ticks enough to tell of others
        assert count(tmp_path, "prepare") == 2
        (tmp_path / "go").touch()
        eventually(lambda: Run.objects.get(pk=parent.pk).status == Status.SUCCEEDED, "all are over", within=60)
    children = list(parent.children.all())
    assert {child.status for child in children} == {Status.SUCCEEDED}
    assert overlap(children) == 2
    assert Run.objects.get(pk=quick.pk).status == Status.SUCCEEDED
