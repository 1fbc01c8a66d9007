"""What happens to deployments and invocations when a worker is killed or frozen, or Redis is wiped.

Real workers with the product's own runs, a real beat, a real Valkey; AWS is the sandbox, whose answers a test can hold
back, so that a worker dies exactly between what Lambda did and what the database knows of it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from functions_app import runlog
from functions_app.domain.changes.invocations import Mode
from functions_app.domain.errors import Code
from functions_app.domain.runs import Priority, Queue, Status
from functions_app.models import AuditEntry, Run
from functions_app.services.changes import invoke
from functions_app.services.engine import messages
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.processes import READY_WITHIN, Process, beat, eventually, worker
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.aws_between import Answer, Between, once
from tests.services.changes.stage import Stage, log_of, make_stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

CODE, VERSIONS, ALIAS = "PUT /functions/{}/code", "POST /functions/{}/versions", "PUT /functions/{}/aliases/staging"


class Held:
    """An answer that is held back after AWS did what it was asked for, until the test lets go."""

    def __init__(self, between: Between, operation: str) -> None:
        self.arrived, self.go = threading.Event(), threading.Event()
        between.rules[operation] = once(self._hold)

    def _hold(self, answer: Answer) -> Answer:
        self.arrived.set()
        self.go.wait(60)
        return answer


def freeze_between_writes(process: Process) -> None:
    """Not while another of its threads writes: SQLite has one lock for all, and nobody could take the run over."""
    process.freeze()
    while connection.vendor == "sqlite" and is_locked(connection.settings_dict["NAME"]):
        process.thaw()
        time.sleep(0.05)
        process.freeze()


def is_locked(file: str) -> bool:
    """Whether somebody holds SQLite's lock of writers for longer than a moment."""
    with closing(sqlite3.connect(file, timeout=1.0, isolation_level=None)) as writer:
        try:
            writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        writer.execute("ROLLBACK")
        return False


@pytest.fixture
def between(aws: Sandbox) -> Iterator[Between]:
    """All AWS calls of the workers pass through it."""
    proxy = Between(aws.url)
    yield proxy
    proxy.close()


@pytest.fixture
def environment(process_environment: dict[str, str], between: Between) -> dict[str, str]:
    """Of workers with the product's own runs, a short lease, and the sandbox as AWS."""
    aws = {"AWS_ENDPOINT_URL": between.url, "DRYDOCK_REGISTRY_MIRRORS": f"*.amazonaws.com={between.url}"}
    return {**process_environment, **aws, "PROCESS_SETTINGS": "tests.survive_settings"}


@pytest.fixture(autouse=True)
def ticking(environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """The beat."""
    with beat(environment, tmp_path) as process:
        yield process


@pytest.fixture
def staged(functions: Functions, operator: Actor, aws: Sandbox) -> Callable[[str], Stage]:
    """Make a function of this name, with an image "2" to deploy."""

    def make(name: str) -> Stage:
        made = make_stage(functions, operator, name)
        made.push("two", "2")
        return made

    return make


def ended(*several: Run) -> bool:
    """Whether all have ended."""
    for run in several:
        run.refresh_from_db()
    return all(Status(run.status).ended for run in several)


def assert_deployed_once(stage: Stage, run: Run, between: Between) -> None:
    """The promise: whatever happened on the way, it ended as if nothing had."""
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("2", {})
    assert stage.digest("staging") == run.plan["to_digest"]
    assert stage.versions() == ["1", "2"]
    assert [between.seen.count(name.format(stage.name)) for name in (CODE, ALIAS)] == [1, 1]
    assert run.result["told"][-1] == "Alias staging points to version 2."
    assert_recorded_once(run)


def assert_recorded_once(run: Run) -> None:
    """Its log has neither gap nor double, the audit one entry for its beginning and one for its end."""
    assert [line.sequence for line in runlog.read(run.pk, limit=10_000)] == list(range(1, run.line_count + 1))
    actions = AuditEntry.objects.filter(run=run).order_by("pk").values_list("action", flat=True)
    assert list(actions) == [f"{run.kind}.submit", f"{run.kind}.{run.status}"]


def test_a_killed_worker_is_followed_by_another_wherever_it_was(
    environment: dict[str, str], tmp_path: Path, staged: Callable[[str], Stage], between: Between, clock: Any
) -> None:
    """Four deployments and an invocation, each at another point, when their worker is killed."""
    stages = {name: staged(name) for name in ("updating", "publishing", "pointing", "waiting", "called")}
    stages["called"].functions.redeploy(python_image("def handler(event, context):\n    print('ran')\n"), "called")
    held = [
        Held(between, CODE.format("updating")),
        Held(between, VERSIONS.format("publishing")),
        Held(between, ALIAS.format("pointing")),
        Held(between, "POST /functions/called/invocations"),
    ]
    with worker(environment, tmp_path, "one") as first:
        submitted = {name: stages[name].confirm(stages[name].plan("2")) for name in list(stages)[:3]}
        call = invoke.submit(stages["called"].function, "$LATEST", "{}", Mode.SYNC, stages["called"].actor)
        eventually(lambda: all(one.arrived.is_set() for one in held), "AWS did what it was asked for")
        with clock(update=4):
            submitted["waiting"] = stages["waiting"].confirm(stages["waiting"].plan("2"))
            step = submitted["waiting"].steps.filter(name="wait", status="waiting")
            eventually(step.exists, "a run waits for Lambda")
            first.kill()
    with worker(environment, tmp_path, "two"):
        eventually(lambda: ended(call, *submitted.values()), "all runs have ended")
    for one in held:
        one.go.set()
    for name, run in submitted.items():
        assert_deployed_once(stages[name], run, between)
        assert name == "waiting" or "another takes it over" in "\n".join(log_of(run))
    assert call.problem is not None
    assert call.problem["code"] == Code.UNKNOWN_OUTCOME
    assert between.seen.count("POST /functions/called/invocations") == 1
    assert sum(line.strip() == "ran" for line in stages["called"].functions.lines("called")) == 1
    assert_recorded_once(call)


def test_redis_wiped_and_restarted_in_the_middle_and_every_message_doubled_change_nothing(
    environment: dict[str, str], tmp_path: Path, staged: Callable[[str], Stage], between: Between, valkey: Valkey
) -> None:
    stages = [staged("first"), staged("second")]
    held = [Held(between, CODE.format("first")), Held(between, ALIAS.format("second"))]
    with worker(environment, tmp_path, "one"), worker(environment, tmp_path, "two"):
        submitted = [stage.confirm(stage.plan("2")) for stage in stages]
        for run in [*submitted, *submitted]:
            messages.send(run.pk, Queue.CHANGES, Priority.PERSON)
        eventually(lambda: all(one.arrived.is_set() for one in held), "both are in the middle")
        valkey.flush()
        held[0].go.set()
        eventually(lambda: ended(submitted[0]), "the first ended after FLUSHALL")
        valkey.stop()
        valkey.start()
        held[1].go.set()
        eventually(lambda: ended(submitted[1]), "the second ended after a restart")
    for stage, run in zip(stages, submitted, strict=True):
        assert_deployed_once(stage, run, between)
        assert between.seen.count(VERSIONS.format(stage.name)) == 1


def test_a_frozen_worker_whose_run_was_taken_over_writes_nothing_when_it_wakes(
    environment: dict[str, str], tmp_path: Path, staged: Callable[[str], Stage], between: Between
) -> None:
    stage, held = staged("app"), Held(between, ALIAS.format("app"))
    with worker(environment, tmp_path, "one") as first:
        run = stage.confirm(stage.plan("2"))
        eventually(held.arrived.is_set, "the alias was pointed")
        freeze_between_writes(first)
        held.go.set()
        with worker(environment, tmp_path, "two"):
            eventually(lambda: ended(run), "another has ended it", 2 * READY_WITHIN)  # the lease, and a start
        before = (Run.objects.filter(pk=run.pk).values().get(), list(run.steps.values()), list(run.lines.values()))
        first.thaw()
        eventually(lambda: first.says("lost its lease and stopped"), "the first has noticed")
    assert before == (Run.objects.filter(pk=run.pk).values().get(), list(run.steps.values()), list(run.lines.values()))
    assert_deployed_once(stage, run, between)
