"""The database goes away in the middle of a run: what was done stays true, and the run goes on from what is stored."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, Outcome, Status, StepStatus
from functions_app.models import Run
from functions_app.services.changes import deploy, roll_back
from functions_app.services.engine import runs
from functions_app.services.engine.run_words import TRIES
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always
from functions_app.services.people.actor import SCHEDULE
from tests.conftest import Valkey
from tests.run_kinds import execute

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "test_kinds")]
AWAY = 1.5  # seconds


@pytest.fixture
def test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


def submit(*specs: StepSpec, folder: Path) -> tuple[Run, dict[Kind, RunKind]]:
    """A run of these steps, and the kinds to execute it with."""
    kinds = {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always(specs))}
    return runs.submit(Kind.DEPLOYMENT, title="A change", plan={"folder": str(folder)}, actor=SCHEDULE), kinds


def take_over(run: Run, kinds: dict[Kind, RunKind], owner: str = "the next worker") -> Run:
    """What the tick does once the lease has run out."""
    Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))
    execute(run, owner, kinds)
    run.refresh_from_db()
    return run


def steps(run: Run) -> dict[str, str]:
    return {step.name: step.status for step in run.steps.all()}


def away_once(tries: list[int]) -> Callable[[Context], Outcome]:
    """A step whose first try meets a database that is away."""

    def action(context: Context) -> Outcome:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the database system is shutting down")
        return Done("done")

    return action


def changed(context: Context) -> Outcome:
    context.memory["changed"] = True
    return Done("changed")


def taking_back(undone: list[str]) -> Callable[[Context], str]:
    """An undo that counts."""

    def undo(_context: Context) -> str:
        undone.append("x")
        return "put back"

    return undo


@contextmanager
def taken_away(seconds: float) -> Iterator[None]:
    """This thread's connection is refused: the file is locked (SQLite), or its server ended it (PostgreSQL)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (ours,) = cursor.fetchone()
        ending = threading.Thread(target=_terminate, args=(ours,))
        ending.start()
        ending.join()
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    locked = threading.Event()
    holder = threading.Thread(target=_lock, args=(seconds, locked))
    holder.start()
    locked.wait(10)
    yield
    holder.join()
    connection.close()  # the next one waits for a lock as ours do


def _terminate(backend: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    connections.close_all()


def _lock(seconds: float, locked: threading.Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        locked.set()
        threading.Event().wait(seconds)
        cursor.execute("ROLLBACK")
    connections.close_all()


def test_a_repeatable_step_is_done_by_the_next_worker_and_nothing_is_undone(tmp_path: Path) -> None:
    tries: list[int] = []
    undone: list[str] = []
    change = StepSpec("change", "Change", changed, undo=taking_back(undone))
    run, kinds = submit(change, StepSpec("last", "Refresh the snapshot", away_once(tries)), folder=tmp_path)

    execute(run, "a worker", kinds)
    run.refresh_from_db()
    assert (run.status, run.problem) == (Status.RUNNING, None)

    run = take_over(run, kinds)
    assert run.status == Status.SUCCEEDED
    assert (len(tries), undone) == (2, [])


def test_an_undo_goes_on_too(tmp_path: Path) -> None:
    tries: list[int] = []

    def undo(_context: Context) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the database system is starting up")
        return "put back"

    def fails(_context: Context) -> Outcome:
        raise KeyError("a defect")

    run, kinds = submit(
        StepSpec("change", "Change", changed, undo=undo), StepSpec("check", "Check", fails), folder=tmp_path
    )

    execute(run, "a worker", kinds)
    run.refresh_from_db()
    assert run.status == Status.UNDOING

    run = take_over(run, kinds)
    assert run.status == Status.FAILED
    assert steps(run)["change"] == "undone"


@pytest.mark.parametrize("broken", [OperationalError("gone"), KeyError("a defect")])
def test_after_what_proves_a_change_nothing_takes_it_back(tmp_path: Path, broken: Exception) -> None:
    undone: list[str] = []

    def fails(_context: Context) -> Outcome:
        raise broken

    specs = (
        StepSpec("change", "Change", changed, undo=taking_back(undone)),
        StepSpec("verify", "Read back", lambda _context: Done("as planned"), settles=True),
        StepSpec("refresh", "Refresh", fails),
    )
    run, kinds = submit(*specs, folder=tmp_path)

    execute(run, "a worker", kinds)
    for number in range(TRIES):
        run = take_over(run, kinds, f"worker {number}")

    assert run.status == Status.FAILED
    assert undone == []
    assert "Done and kept: Change, Read back." in run.result["summary"]


@pytest.mark.parametrize("specs", [deploy.STEPS, roll_back.STEPS])
def test_deployments_and_rollbacks_are_settled_by_reading_back(specs: tuple[StepSpec, ...]) -> None:
    names = [spec.name for spec in specs]
    assert [spec.name for spec in specs if spec.settles] == ["verify"]
    assert all(spec.undo is None for spec in specs[names.index("verify") :])


def test_an_answer_that_can_not_be_had_again_is_stored_when_the_database_is_back(tmp_path: Path) -> None:
    away = []

    def once(context: Context) -> Outcome:
        context.result["answer"] = "42"
        block = taken_away(AWAY)
        block.__enter__()
        away.append(block)
        return Done("answered")

    run, kinds = submit(StepSpec("once", "Send it", once, repeatable=False), folder=tmp_path)

    assert execute(run, "a worker", kinds)
    away[0].__exit__(None, None, None)
    run.refresh_from_db()
    assert (run.status, run.result["answer"]) == (Status.SUCCEEDED, "42")


def test_a_failure_that_only_its_worker_knows_is_stored_when_the_database_is_back(tmp_path: Path) -> None:
    away = []

    def refused(context: Context) -> Outcome:
        context.result["not_executed"] = True
        block = taken_away(AWAY)
        block.__enter__()
        away.append(block)
        raise DrydockError(Code.THROTTLED, "Too many requests: nothing ran.")

    run, kinds = submit(StepSpec("once", "Send it", refused, repeatable=False), folder=tmp_path)

    assert execute(run, "a worker", kinds)
    away[0].__exit__(None, None, None)
    run.refresh_from_db()
    assert run.problem is not None
    assert (run.status, run.problem["code"], run.result["not_executed"]) == (Status.FAILED, Code.THROTTLED, True)


def test_a_failure_that_was_stored_is_no_unknown_outcome_though_its_worker_dies_right_after(tmp_path: Path) -> None:
    def refused(_context: Context) -> Outcome:
        raise DrydockError(Code.THROTTLED, "Too many requests: nothing ran.")

    run, kinds = submit(StepSpec("once", "Send it", refused, repeatable=False), folder=tmp_path)
    execute(run, "a worker", kinds)
    # As the database has it between the two writes: what the step told, and not yet the run's end.
    Run.objects.filter(pk=run.pk).update(status=Status.RUNNING, lease_owner="a worker", problem=None, ended_at=None)
    run.steps.update(status=StepStatus.RUNNING)

    run = take_over(run, kinds)

    assert run.problem is not None
    assert (run.status, run.problem["code"]) == (Status.FAILED, Code.THROTTLED)


def test_what_a_step_has_to_store_in_its_middle_waits_for_the_database(tmp_path: Path) -> None:
    def stores(context: Context) -> Outcome:
        with taken_away(AWAY):
            context.lease.insist(lambda: Run.objects.filter(pk=context.run.pk).update(title="stored"))
        return Done("")

    run, kinds = submit(StepSpec("once", "Send it", stores, repeatable=False), folder=tmp_path)

    assert execute(run, "a worker", kinds)
    run.refresh_from_db()
    assert (run.status, run.title) == (Status.SUCCEEDED, "stored")


def test_a_run_whose_workers_die_again_and_again_in_one_step_ends_and_says_so(tmp_path: Path) -> None:
    undone: list[str] = []

    def dies(_context: Context) -> Outcome:
        raise OperationalError("as if its worker died")

    specs = (
        StepSpec("change", "Change", changed, undo=taking_back(undone)),
        StepSpec("huge", "Read what is huge", dies),
    )
    run, kinds = submit(*specs, folder=tmp_path)

    execute(run, "a worker", kinds)
    for number in range(TRIES - 1):
        run = take_over(run, kinds, f"worker {number}")
        assert run.status == Status.RUNNING
    run = take_over(run, kinds)

    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "Its worker died 5 times in “Read what is huge”" in run.problem["message"]
    assert undone == ["x"]


def test_a_step_that_ends_begins_the_count_anew(tmp_path: Path) -> None:
    def dies_often(_context: Context) -> Outcome:
        tries.append(1)
        if len(tries) % TRIES:
            raise OperationalError("as if its worker died")
        return Done("at last")

    tries: list[int] = []
    specs = tuple(StepSpec(name, name, dies_often) for name in ("first", "second"))
    run, kinds = submit(*specs, folder=tmp_path)

    execute(run, "a worker", kinds)
    for number in range(2 * TRIES - 2):
        run = take_over(run, kinds, f"worker {number}")

    assert run.status == Status.SUCCEEDED
    assert run.attempts == 0


def test_the_log_takes_lines_while_the_database_is_away(valkey: Valkey, tmp_path: Path) -> None:
    tries: list[int] = []

    def chatty(context: Context) -> Outcome:
        tries.append(1)
        with taken_away(AWAY) if len(tries) == 1 else nullcontext():
            for number in range(12_000):  # more than are kept waiting
                context.log.info(f"line {number}")
        return Done("said it all")

    run, kinds = submit(StepSpec("chatty", "Chat", chatty), folder=tmp_path)

    execute(run, "a worker", kinds)
    run.refresh_from_db()
    if run.status == Status.RUNNING:  # PostgreSQL ended the connection that the step's end is written on
        run = take_over(run, kinds)
    assert run.status == Status.SUCCEEDED
    assert run.lines.filter(text__startswith="line ").count() >= 12_000
