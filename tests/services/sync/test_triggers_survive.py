"""What happens to the turn in which a sync asks what calls functions when its worker is killed, or frozen and followed.

Real workers and a real beat; AWS is the sandbox, whose answer about one of three functions a test holds back.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions_app import runlog, tasks
from functions_app.domain.runs import Priority, Queue, Status
from functions_app.models import Account, FunctionTriggers, Run
from functions_app.services.engine import messages
from tests.fixtures import Sandbox
from tests.processes import READY_WITHIN, beat, eventually, worker
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between
from tests.services.changes.stage import log_of
from tests.services.changes.test_deploy_survives import Held, freeze_between_writes
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
URLS = "GET /2021-10-31/functions/{}/urls"  # asked for once in each reading, by nobody else
NAMES = ("one", "three", "two")


@pytest.fixture
def between(aws: Sandbox) -> Iterator[Between]:
    """All AWS calls of the workers pass through it."""
    proxy = Between(aws.url)
    yield proxy
    proxy.close()


@pytest.fixture
def environment(process_environment: dict[str, str], between: Between, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of workers with a short lease, beside a beat that starts no sync of its own."""
    aws = {"AWS_ENDPOINT_URL": between.url, "DRYDOCK_REGISTRY_MIRRORS": f"*.amazonaws.com={between.url}"}
    found = {**process_environment, **aws, "PROCESS_SETTINGS": "tests.survive_settings", "DRYDOCK_SYNC_EVERY": "3600"}
    with beat(found, tmp_path):
        yield found


@pytest.fixture
def due(ours: Account, functions: Functions, between: Between) -> Run:
    """A sync that is due, of three functions that were synced before."""
    functions.push()
    for name in NAMES:
        functions.create(name)
        functions.settled(name)
    run_once(Lines())
    assert tasks.start_sync()
    return Run.objects.latest("pk")


def ended(run: Run) -> bool:
    """Whether it has."""
    run.refresh_from_db()
    return Status(run.status).ended


def assert_read_once(run: Run, between: Between, asked_twice: str) -> None:
    """All functions are told of; none but the one that was held back was asked about twice."""
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert sorted(FunctionTriggers.objects.values_list("function__name", flat=True)) == [*NAMES]
    asked = {name: between.seen.count(URLS.format(name)) for name in NAMES}
    assert asked == {name: 2 if name == asked_twice else 1 for name in NAMES}
    assert [line.sequence for line in runlog.read(run.pk, limit=10_000)] == list(range(1, run.line_count + 1))


def test_a_worker_killed_in_the_middle_of_a_turn_is_followed_by_one_that_asks_of_the_others(
    due: Run, environment: dict[str, str], tmp_path: Path, between: Between
) -> None:
    held = Held(between, URLS.format("three"))
    with worker(environment, tmp_path, "first") as first:
        eventually(held.arrived.is_set, "one function is read, and the next half")
        first.kill()
    held.go.set()
    with worker(environment, tmp_path, "second"):
        eventually(lambda: ended(due), "the sync has ended")
    assert_read_once(due, between, asked_twice="three")


def test_a_worker_that_wakes_when_its_turn_was_taken_over_asks_nothing_more(
    due: Run, environment: dict[str, str], tmp_path: Path, between: Between
) -> None:
    held = Held(between, URLS.format("three"))
    with worker(environment, tmp_path, "first") as first:
        eventually(held.arrived.is_set, "one function is read, and the next half")
        freeze_between_writes(first)
        held.go.set()
        with worker(environment, tmp_path, "second"):
            messages.send(due.pk, Queue.READING, Priority.SCHEDULE)
            eventually(lambda: ended(due), "another has ended it", 2 * READY_WITHIN)
        told = list(FunctionTriggers.objects.order_by("pk").values())
        first.thaw()
        eventually(lambda: first.says("lost its lease and stopped"), "the first has noticed")
    assert list(FunctionTriggers.objects.order_by("pk").values()) == told
    assert_read_once(due, between, asked_twice="three")
