"""A Redis or database that is away is told of once a minute and once when it is back, not by a traceback per try."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.db import OperationalError, ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from kombu.exceptions import OperationalError as QueueError

from dashboard import absences
from dashboard.absences import Absences, who_is_away
from tests import processes
from tests.conftest import Valkey
from tests.processes import Process, eventually

WATCH = "absence of The database"  # the name of the thread that looks whether it is back
BEAT_TRIES = 5  # of beat, once a second: a traceback of 200 lines each


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (redis.ConnectionError("Connection refused"), "Redis is away"),
        (redis.BusyLoadingError("LOADING"), "Redis is away"),
        (redis.TimeoutError("Timeout reading from socket"), "Redis is away"),
        (QueueError("Error 111 connecting"), "Redis is away"),
        (redis.ReadOnlyError("You can't write against a read only replica."), "Redis is away"),
        (redis.ResponseError("MISCONF Errors writing to the AOF file: No space left"), "Redis is refusing to work"),
        (redis.OutOfMemoryError("OOM command not allowed when used memory > 'max'"), "Redis is refusing to work"),
        (redis.ResponseError("NOREPLICAS Not enough good replicas to write."), "Redis is refusing to work"),
        (redis.ResponseError("WRONGTYPE Operation against a key"), ""),
        (OperationalError("database is locked"), "The database is locked"),
        (OperationalError("database or disk is full"), "The database is full"),
        (OperationalError("disk I/O error"), "The database is unreadable"),
        (OperationalError("connection failed: Connection refused"), "The database is away"),
        (OperationalError("FATAL: sorry, too many clients already"), "The database is crowded"),
        (OperationalError("no such table: functions_app_run"), ""),
        (OperationalError('near "FORM": syntax error'), ""),
        (ProgrammingError("no such column"), ""),
        (KeyError("hostname"), ""),
    ],
    ids=repr,
)
def test_an_error_tells_whether_a_part_is_away(error: Exception, told: str) -> None:
    assert " is ".join(filter(None, who_is_away(error))) == told


@pytest.fixture
def written() -> tuple[logging.Logger, list[str]]:
    """A logger as the settings set one up, and the lines that it writes."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, logger = Lines(), logging.Logger("absences")
    handler.addFilter(Absences())
    logger.addHandler(handler)
    return logger, lines


@pytest.mark.parametrize("say", [logging.Logger.exception, logging.Logger.error], ids=["traceback", "argument"])
def test_many_complaints_are_one_line(
    written: tuple[logging.Logger, list[str]], say: Callable[..., None], valkey: Valkey
) -> None:
    logger, lines = written
    for _ in range(100):
        try:
            raise redis.ConnectionError("Error 111 connecting.\nConnection refused.")
        except redis.ConnectionError as error:
            say(logger, "consumer: Cannot connect: %s", error)
    assert lines == ["Redis is away, trying on: Error 111 connecting. Connection refused."]


def test_of_the_database_the_log_says_what_to_do_too() -> None:
    assert absences.line(OperationalError("database is locked")).endswith("such as a backup or a shell.)")


@pytest.mark.django_db(transaction=True)
def test_whoever_looks_whether_the_database_is_back_keeps_no_connection(
    written: tuple[logging.Logger, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a pool would be lost: after some thirty absences a process would have none left."""
    monkeypatch.setattr(absences, "LOOK", 0.01)
    monkeypatch.setattr(absences, "QUIET", 0.0)
    made: list[BaseDatabaseWrapper] = []

    def remember(connection: BaseDatabaseWrapper, **_: object) -> None:
        if threading.current_thread().name == WATCH:
            made.append(connection)

    connection_created.connect(remember)
    written[0].error("%s", OperationalError("database is locked"))
    eventually(lambda: WATCH not in [thread.name for thread in threading.enumerate()], "it is back")
    assert made
    assert not [each for each in made if each.connection]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_complaints_are_heard_again_where_looking_itself_failed(
    written: tuple[logging.Logger, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absences, "LOOK", 0.01)
    monkeypatch.setattr(absences, "QUIET", 0.0)
    logger, lines = written
    for _ in range(2):  # no test of this kind may ask the database
        logger.error("%s", OperationalError("database is locked"))
        eventually(lambda: WATCH not in [thread.name for thread in threading.enumerate()], "nobody watches")
    assert len(lines) == 2


def test_other_errors_keep_their_traceback(written: tuple[logging.Logger, list[str]]) -> None:
    logger, lines = written
    try:
        raise KeyError("hostname")
    except KeyError:
        logger.exception("it broke")
    assert "Traceback" in lines[0]


@pytest.mark.django_db(transaction=True)
class Test_while_redis_dies_and_comes_back:
    @pytest.fixture
    def beat(self, process_environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
        with processes.beat(process_environment, tmp_path) as beat:
            yield beat

    @pytest.fixture
    def worker(self, process_environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
        with processes.worker(process_environment, tmp_path, "worker") as worker:
            yield worker

    @pytest.fixture
    def away(self, valkey: Valkey) -> Iterator[Callable[[], None]]:
        """Takes Redis away; it comes back when the test says so, and at its end."""
        yield valkey.stop
        if valkey.process is None:
            valkey.start()

    def test_beat_says_so_twice(self, beat: Process, valkey: Valkey, away: Callable[[], None]) -> None:
        tick = "Sending due task tick"
        eventually(lambda: beat.says(tick), "beat has begun")
        before = beat.text().count("\n")
        away()
        eventually(lambda: beat.says("Redis is away"), "beat names Redis")
        tried = beat.text().count(tick)
        eventually(lambda: beat.text().count(tick) > tried + BEAT_TRIES, "beat tried on")
        valkey.start()
        eventually(lambda: beat.says("Redis is there again"), "beat names Redis again")
        said = [line for line in beat.text().splitlines()[before:] if "Sending due task" not in line]
        assert len(said) <= 4, "\n".join(said)

    def test_beat_that_starts_without_it_catches_up_once_it_is_there(
        self, process_environment: dict[str, str], tmp_path: Path, valkey: Valkey, away: Callable[[], None]
    ) -> None:
        away()
        with processes.beat(process_environment, tmp_path) as beat:
            eventually(lambda: beat.says("Redis is away"), "beat names Redis")
            valkey.start()
            with valkey.client as client:
                eventually(lambda: b"tasks.catch_up" in b"".join(client.lrange("reading", 0, -1)), "it was told")

    def test_a_worker_says_so_twice(self, worker: Process, valkey: Valkey, away: Callable[[], None]) -> None:
        before = worker.text().count("\n")
        away()
        eventually(lambda: worker.says("Redis is away"), "the worker names Redis")
        valkey.start()
        eventually(lambda: worker.says("Redis is there again"), "the worker names Redis again")
        said = [line for line in worker.text().splitlines()[before:] if "Connected to redis" not in line]
        assert len(said) <= 4, "\n".join(said)

    def test_a_worker_waits_for_one_that_refuses_to_write(self, worker: Process, valkey: Valkey) -> None:
        """As with a full disk: it answers each ping, and nothing else."""
        with valkey.client as client:
            client.config_set("min-replicas-to-write", 1)
            try:
                eventually(lambda: worker.says("Redis is refusing"), "the worker names Redis")
            finally:
                client.config_set("min-replicas-to-write", 0)
        eventually(lambda: worker.says("Redis is there again"), "the worker goes on")
