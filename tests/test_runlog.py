"""The log of a run: numbered without gap or double whoever writes, stored in batches, published once a batch."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from functions_app import clock, runlog
from functions_app.domain.runs import Kind, Status
from functions_app.models import LogLine, Run
from tests.conftest import Valkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def make_run(status: Status = Status.RUNNING) -> Run:
    return Run.objects.create(kind=Kind.SYNC, status=status, title="A run", created_at=clock.now())


def stored(run: Run) -> list[tuple[int, str]]:
    return list(LogLine.objects.filter(run=run).order_by("sequence").values_list("sequence", "text"))


def in_threads(count: int, work: Any) -> None:
    def call(number: int) -> None:
        try:
            work(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_lines_are_numbered_from_one_in_the_order_they_came() -> None:
    run = make_run()
    log = runlog.Logger(run.pk)
    for number in range(3):
        log.info(f"line {number}")
    log.flush()
    assert stored(run) == [(1, "line 0"), (2, "line 1"), (3, "line 2")]


def test_several_writers_at_once_leave_neither_gap_nor_double() -> None:
    run = make_run()

    def write(number: int) -> None:
        log = runlog.Logger(run.pk)  # each its own, as in several processes
        for line in range(40):
            log.info(f"{number}:{line}")
            if line % 10 == 9:
                log.flush()

    in_threads(4, write)
    run.refresh_from_db()
    assert [sequence for sequence, _ in stored(run)] == list(range(1, 161))
    assert run.line_count == 160
    for number in range(4):
        own = [text for _, text in stored(run) if text.startswith(f"{number}:")]
        assert own == [f"{number}:{line}" for line in range(40)]


class Unhurried(runlog.Logger):
    """One whose lines are stored by whoever asks for it alone."""

    def idle(self) -> bool:
        return True


@contextmanager
def connection_lost(*, committed: bool) -> Iterator[None]:
    """The database goes away as lines are stored: after it has committed them, or before."""

    def lost() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    def strike(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("INSERT") and LogLine._meta.db_table in sql:
            transaction.on_commit(lost) if committed else lost()
        return done

    with connection.execute_wrapper(strike), pytest.raises(OperationalError):
        yield


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not committed"])
def test_lines_of_which_the_database_did_not_tell_whether_they_are_stored_come_once(committed: bool) -> None:
    run = make_run()
    log = Unhurried(run.pk)
    log.info("first")
    log.flush()
    runlog.append_message(run.pk, "info", "somebody else's")
    log.info("the same\nthe same")
    with connection_lost(committed=committed):
        log.flush()
    log.info("later")
    with connection_lost(committed=committed):
        log.flush()
    log.flush()
    log.info("last")
    log.flush()
    texts = ["first", "somebody else's", "the same", "the same", "later", "last"]
    assert stored(run) == list(enumerate(texts, 1))
    assert Run.objects.get(pk=run.pk).line_count == len(texts)


def test_lines_are_stored_soon_without_being_asked() -> None:
    run = make_run()
    runlog.Logger(run.pk).info("soon")
    deadline = time.monotonic() + 10
    while not stored(run):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_flood_is_stored_whole() -> None:
    run = make_run()
    log = runlog.Logger(run.pk)
    for number in range(12_000):
        log.info(f"{number}")
    log.close()
    assert [int(text) for _, text in stored(run)] == list(range(12_000))


def test_a_run_that_has_ended_takes_no_more_lines() -> None:
    run = make_run(Status.SUCCEEDED)
    log = runlog.Logger(run.pk)
    log.info("too late")
    log.flush()
    run.refresh_from_db()
    assert stored(run) == []
    assert run.line_count == 0


def test_lines_are_redacted_and_split_before_they_are_stored() -> None:
    run = make_run()
    log = runlog.Logger(run.pk)
    log.error("first\npassword=hunter2\0", source="function", at=datetime(2026, 1, 2, tzinfo=UTC))
    log.flush()
    lines = runlog.read(run.pk)
    assert [line.text for line in lines] == ["first", "password=[redacted]"]
    assert {(line.level, line.source, line.at.year) for line in lines} == {("error", "function", 2026)}


def test_each_batch_is_published_once_and_can_be_read_back(valkey: Valkey) -> None:
    run = make_run()
    with valkey.client as client, client.pubsub() as messages:
        messages.subscribe(runlog.channel(run.pk))
        assert messages.get_message(timeout=5)["type"] == "subscribe"
        runlog.append(run.pk, [(clock.now(), "info", "drydock", text) for text in ("a", "b", "ü")])
        message = messages.get_message(timeout=5)
        assert messages.get_message(timeout=0.1) is None
    assert runlog.decode(message["data"]) == tuple(runlog.read(run.pk))


def test_a_redis_that_is_away_fails_nothing(valkey: Valkey) -> None:
    run = make_run()
    valkey.stop()
    try:
        log = runlog.Logger(run.pk)
        log.info("stored all the same")
        log.flush()
        runlog.announce(run.pk)
    finally:
        valkey.start()
    assert stored(run) == [(1, "stored all the same")]


def test_pages_of_a_log_join_without_overlap() -> None:
    run = make_run()
    runlog.append(run.pk, [(clock.now(), "info", "drydock", str(number)) for number in range(2_500)])
    assert [line.sequence for line in runlog.read_all(run.pk)] == list(range(1, 2_501))
    assert [line.sequence for line in runlog.tail(run.pk, 3)] == [2_498, 2_499, 2_500]
    assert [line.sequence for line in runlog.tail(run.pk, 2, before=5)] == [3, 4]
    assert [line.sequence for line in runlog.read(run.pk, 10, until=12)] == [11, 12]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_dies_is_followed_by_another() -> None:
    class Deadly(runlog.Logger):
        def idle(self) -> bool:
            raise RuntimeError("a defect")

    run = make_run()
    Deadly(run.pk).info("never stored")
    deadline = time.monotonic() + 10
    while runlog.writer()._alive:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runlog.Logger(run.pk).info("stored")
    while not stored(run):
        assert time.monotonic() < deadline
        time.sleep(0.01)
