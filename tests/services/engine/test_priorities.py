"""Whose run a busy worker takes next: what was asked of a run, then people's, then the schedule's, then children's."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.runs import Kind, Priority, Queue, SignalKind, Status
from functions_app.models import Run
from functions_app.services.engine import health, messages, runs, signals
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.conftest import Valkey
from tests.processes import Process, beat, eventually, worker
from tests.run_kinds import count, execute
from tests.services.engine.test_tick import told_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def _test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


def submit(folder: Path, actor: Actor = SCHEDULE, **plan: Any) -> Run:
    """A change that leaves its marks in a folder of its own."""
    folder = folder / f"of {Run.objects.count()}"
    folder.mkdir()
    plan = {"folder": str(folder), "lines": 1, **plan}
    return runs.submit(Kind.DEPLOYMENT, title="A change", plan=plan, actor=actor)


def in_order(given: list[Run]) -> list[Run]:
    """These runs in the order in which workers began them, once all have ended."""
    keys = [run.pk for run in given]
    eventually(lambda: all(Status(run.status).ended for run in Run.objects.filter(pk__in=keys)), "all have ended")
    return list(Run.objects.filter(pk__in=keys).order_by("started_at"))


@pytest.fixture
def others(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """The beat and the worker of its tick."""
    with beat(process_environment, tmp_path), worker(process_environment, tmp_path, "tick", [Queue.TICK], 1) as tick:
        yield tick


def busy(folder: Path, operator: Actor) -> Run:
    """A run that has the only thread until its file `go` is there."""
    run = submit(folder, operator, block=True)
    eventually(lambda: count(Path(run.plan["folder"]), "change") == 1, "the only thread is busy")
    return run


def let_go(run: Run) -> None:
    (Path(run.plan["folder"]) / "go").touch()


@pytest.mark.usefixtures("others")
class Test_a_busy_worker_of_one_thread:
    def test_takes_a_persons_run_before_twenty_of_the_schedules_that_came_earlier(
        self, process_environment: dict[str, str], tmp_path: Path, operator: Actor
    ) -> None:
        with worker(process_environment, tmp_path, "changes", [Queue.CHANGES], 1):
            first = busy(tmp_path, operator)
            earlier = [submit(tmp_path) for _ in range(20)]
            time.sleep(1)  # in which the worker takes a message ahead, and the tick may send one twice
            mine = submit(tmp_path, operator)
            let_go(first)
            assert in_order([*earlier, mine])[0] == mine

    def test_takes_a_persons_run_before_those_of_the_schedules_whose_waits_are_over(
        self, process_environment: dict[str, str], tmp_path: Path, operator: Actor
    ) -> None:
        with worker(process_environment, tmp_path, "changes", [Queue.CHANGES], 1):
            waiting = [submit(tmp_path, waits=1, seconds=3000) for _ in range(10)]
            eventually(lambda: Run.objects.filter(status=Status.WAITING).count() == 10, "all wait")
            first = busy(tmp_path, operator)
            Run.objects.filter(status=Status.WAITING).update(wake_at=clock.now())  # their waits are over
            mine = submit(tmp_path, operator)
            let_go(first)
            in_order([*waiting, mine])
            mine.refresh_from_db()
        keys = [run.pk for run in waiting]
        assert not Run.objects.filter(pk__in=keys, ended_at__lt=mine.started_at).exists()

    def test_takes_what_was_asked_of_a_run_before_both(
        self, process_environment: dict[str, str], tmp_path: Path, operator: Actor
    ) -> None:
        with worker(process_environment, tmp_path, "changes", [Queue.CHANGES], 1):
            waiting = submit(tmp_path, waits=1, seconds=3000)
            eventually(lambda: Run.objects.filter(status=Status.WAITING).exists(), "it waits")
            first = busy(tmp_path, operator)
            others = [submit(tmp_path, actor) for actor in (SCHEDULE, operator) for _ in range(5)]
            signals.give(waiting, SignalKind.CANCEL, operator)
            let_go(first)
            in_order([*others, waiting])
        waiting.refresh_from_db()
        assert waiting.status == Status.CANCELLED
        begun = Run.objects.filter(pk__in=[run.pk for run in others], started_at__lt=waiting.ended_at)
        assert begun.count() <= 1  # the one whose message the worker had taken ahead


def test_every_list_of_a_queues_messages_is_counted(valkey: Valkey) -> None:
    valkey.flush()
    for number, priority in enumerate(Priority, 1):
        messages.send(4711, Queue.CHANGES, priority)
        assert health.waiting_messages("changes") == number
    messages.send(4711, Queue.READING, Priority.PERSON)
    assert health.waiting_messages("changes") == len(Priority)
    assert len(told_on("changes", valkey)) == len(Priority)


@pytest.mark.usefixtures("valkey")
def test_a_schedules_run_is_carried_out_where_nobody_more_urgent_is_due(tmp_path: Path) -> None:
    run = submit(tmp_path)
    assert execute(run, "worker") is True
    assert Run.objects.get(pk=run.pk).status == Status.SUCCEEDED
