"""What happens to runs when a worker is killed or Redis is wiped: real workers, a real beat, a real Valkey."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from functions_app import runlog
from functions_app.domain.errors import Code
from functions_app.domain.runs import Kind, Priority, Queue, Status
from functions_app.models import Run
from functions_app.services.engine import messages, runs
from functions_app.services.people.actor import SCHEDULE
from tests.conftest import Valkey
from tests.processes import Process, beat, eventually, worker
from tests.run_kinds import count

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def _test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


@pytest.fixture
def ticking(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    with beat(process_environment, tmp_path) as process:
        yield process


def submit(kind: Kind, folder: Path, **plan: Any) -> Run:
    return runs.submit(kind, title="A change", plan={"folder": str(folder), **plan}, actor=SCHEDULE)


def ended(run: Run) -> bool:
    run.refresh_from_db()
    return Status(run.status).ended


def assert_log_is_whole(run: Run) -> None:
    numbers = [line.sequence for line in runlog.read(run.pk, limit=100_000)]
    assert numbers == list(range(1, run.line_count + 1))


@pytest.mark.usefixtures("ticking")
class Test_a_worker_killed_in_a_step:
    def test_has_its_run_taken_over_by_another_which_ends_it_right(
        self, process_environment: dict[str, str], tmp_path: Path
    ) -> None:
        with worker(process_environment, tmp_path, "one") as first:
            run = submit(Kind.DEPLOYMENT, tmp_path, block=True, lines=50)
            eventually(lambda: Run.objects.get(pk=run.pk).line_count > 50, "the step logs")
            first.kill()
            (tmp_path / "go").touch()
            with worker(process_environment, tmp_path, "two"):
                eventually(lambda: ended(run), "the run has ended")
        assert run.status == Status.SUCCEEDED
        assert count(tmp_path, "prepare") == 1
        assert count(tmp_path, "change") == 2
        assert_log_is_whole(run)
        assert any("another takes it over" in line.text for line in runlog.read(run.pk))

    def test_leaves_every_line_of_the_steps_that_were_done(
        self, process_environment: dict[str, str], tmp_path: Path
    ) -> None:
        with worker(process_environment, tmp_path, "one") as first:
            run = submit(Kind.DEPLOYMENT, tmp_path, lines=300, dies=True)
            first.process.wait(60)
            with worker(process_environment, tmp_path, "two"):
                eventually(lambda: ended(run), "the run has ended")
        texts = [line.text for line in runlog.read(run.pk)]
        assert [text for text in texts if text.startswith("changing")] == [f"changing {n}" for n in range(300)]
        assert sum(text.startswith("Change: changed") for text in texts) == 1
        assert "Step 3 of 4: Settle" in texts
        assert_log_is_whole(run)

    def test_that_must_not_be_repeated_fails_the_run_with_unknown_outcome(
        self, process_environment: dict[str, str], tmp_path: Path
    ) -> None:
        with worker(process_environment, tmp_path, "one") as first:
            run = submit(Kind.INVOCATION, tmp_path)
            eventually(lambda: count(tmp_path, "once") == 1, "it was sent")
            first.kill()
            (tmp_path / "go").touch()
            with worker(process_environment, tmp_path, "two"):
                eventually(lambda: ended(run), "the run has ended")
        assert run.status == Status.FAILED
        assert run.problem is not None
        assert run.problem["code"] == Code.UNKNOWN_OUTCOME
        assert count(tmp_path, "once") == 1
        assert_log_is_whole(run)


@pytest.mark.usefixtures("ticking")
class Test_flushall:
    def test_in_the_middle_of_a_run_loses_nothing_and_workers_go_on_consuming(
        self, process_environment: dict[str, str], tmp_path: Path, valkey: Valkey
    ) -> None:
        with worker(process_environment, tmp_path, "one"):
            run = submit(Kind.DEPLOYMENT, tmp_path, block=True, waits=2, seconds=0.3)
            eventually(lambda: count(tmp_path, "change") == 1, "the step is under way")
            queued = [submit(Kind.DEPLOYMENT, tmp_path / ".", lines=1) for _ in range(8)]
            valkey.flush()
            (tmp_path / "go").touch()
            eventually(lambda: ended(run) and all(ended(one) for one in queued), "all runs have ended")
            valkey.flush()
            later = submit(Kind.DEPLOYMENT, tmp_path, lines=1)
            eventually(lambda: ended(later), "a run submitted after the second FLUSHALL has ended")
        assert {one.status for one in (run, later, *queued)} == {Status.SUCCEEDED}
        for one in (run, later, *queued):
            assert_log_is_whole(one)


@pytest.mark.usefixtures("ticking")
def test_a_redis_that_dies_and_comes_back_empty_finds_the_workers_again(
    process_environment: dict[str, str], tmp_path: Path, valkey: Valkey
) -> None:
    with worker(process_environment, tmp_path, "one"):
        run = submit(Kind.DEPLOYMENT, tmp_path, block=True)
        eventually(lambda: count(tmp_path, "change") == 1, "the step is under way")
        valkey.stop()
        (tmp_path / "go").touch()
        eventually(lambda: ended(run), "the run ends without Redis")
        valkey.start()
        later = submit(Kind.DEPLOYMENT, tmp_path)
        eventually(lambda: ended(later), "a later run has ended", within=60)
    assert run.status == Status.SUCCEEDED
    assert later.status == Status.SUCCEEDED


@pytest.mark.usefixtures("ticking")
def test_a_worker_outlives_a_redis_that_dies_while_messages_wait_within_it(
    process_environment: dict[str, str], tmp_path: Path, valkey: Valkey
) -> None:
    with worker(process_environment, tmp_path, "one") as process:
        messages.send(0, Queue.CHANGES, Priority.PERSON, countdown=60)
        eventually(lambda: process.says("execute_run["), "the worker has the message")
        valkey.stop()
        # A Redis that is back sooner takes the message. Whether kombu breaks where there is none goes by what the
        # worker is at; where it does, tests/test_consumer.py. A tick may be among the unacknowledged.
        eventually(lambda: process.says("unacknowledged message"), "the worker lets go of its connection")
        valkey.start()
        later = submit(Kind.DEPLOYMENT, tmp_path)
        eventually(lambda: ended(later), "a later run has ended", within=60)
    assert later.status == Status.SUCCEEDED


def test_two_workers_never_do_the_same_step_at_once(process_environment: dict[str, str], tmp_path: Path) -> None:
    with worker(process_environment, tmp_path, "one"), worker(process_environment, tmp_path, "two"):
        submitted = [submit(Kind.DEPLOYMENT, tmp_path, lines=5) for _ in range(10)]
        for run in submitted:
            for _ in range(5):
                messages.send(run.pk, Queue.CHANGES, Priority.PERSON)
        eventually(lambda: all(ended(run) for run in submitted), "all runs have ended")
        time.sleep(0.5)  # what is left of the messages finds nothing to do
    assert count(tmp_path, "prepare") == 10
    assert count(tmp_path, "change") == 10
