"""What the log says of a Redis or database that is away: that it is, once a minute, and when it is back.

Whatever needs it complains at each try: a thousand lines of tracebacks in ten seconds, which say one thing.
"""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redis
from celery.beat import SchedulingError
from django.db import InterfaceError, OperationalError, connections
from kombu.exceptions import OperationalError as QueueError

from functions_app.domain.database_troubles import NOT_MIGRATED, trouble_in

EVERY = 60.0  # seconds between two lines
LOOK = 1.0  # seconds between two looks whether it is back
QUIET = 5.0  # seconds without a complaint that make it back, if it answers: it may answer and still refuse to work

REDIS, DATABASE = "Redis", "The database"
REFUSALS = ("MISCONF", "OOM", "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY")  # of Redis
log = logging.getLogger(__name__)


def who_is_away(error: BaseException | None) -> tuple[str, str]:
    """The part that this error complains of, and what is the matter; "" for errors whose traceback is worth reading."""
    if isinstance(error, SchedulingError):
        error = error.__context__
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.ReadOnlyError | QueueError):
        return REDIS, "away"
    if isinstance(error, redis.ResponseError) and str(error).startswith(REFUSALS):
        return REDIS, "refusing to work"
    if isinstance(error, OperationalError | InterfaceError):
        trouble = trouble_in(str(error))
        return (DATABASE, trouble.word) if trouble and trouble is not NOT_MIGRATED else ("", "")
    return "", ""


def line(error: BaseException) -> str:
    """What the log says of such an error, in one line: who is away, why, and of the database what to do."""
    part, state = who_is_away(error)
    trouble = trouble_in(str(error)) if part == DATABASE else None
    return f"{part} is {state}, trying on: {_on_one_line(error)}{f' ({trouble.next_step})' if trouble else ''}"


def _on_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1]:
        yield record.exc_info[1]
    if isinstance(record.args, tuple):
        yield from (each for each in record.args if isinstance(each, BaseException))


@dataclass
class _Absence:
    since: float
    last: float  # when somebody complained last
    cause: str
    untold: int = 0


class Absences(logging.Filter):
    """Lets the first complaint through in a line, then tells the rest once a minute, until the part is back."""

    def __init__(self) -> None:
        super().__init__()
        self._absences: dict[str, _Absence] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; a complaint that is has become one line."""
        error = next((each for each in _errors(record) if who_is_away(each)[0]), None)
        if error is None:
            return True
        part, now, cause = who_is_away(error)[0], time.monotonic(), _on_one_line(error)
        with self._lock:
            if absence := self._absences.get(part):
                absence.last, absence.cause, absence.untold = now, cause, absence.untold + 1
                return False
            self._absences[part] = _Absence(now, now, cause)
        record.msg, record.args = line(error), ()
        record.exc_info = record.exc_text = None
        threading.Thread(target=self._watch, args=(part,), name=f"absence of {part}", daemon=True).start()
        return True

    def _watch(self, part: str) -> None:
        absence = self._absences[part]
        told = absence.since
        try:
            while True:
                time.sleep(LOOK)
                now = time.monotonic()
                if now - absence.last >= QUIET and _answers(part):
                    break
                if now - told >= EVERY:
                    told = now
                    log.warning("%s is still not there after %.0f s: %s", part, now - absence.since, absence.cause)
        finally:  # also where looking fails: with nobody watching, no complaint would be heard any more
            with self._lock:
                del self._absences[part]
        log.warning("%s is there again, after %.0f s.", part, time.monotonic() - absence.since)


def _answers(part: str) -> bool:
    from functions_app.services.engine import health  # Django is not set up yet where the log is

    try:
        return (health.broker() if part == REDIS else health.database()) == "ok"
    finally:
        connections.close_all()  # this thread ends: what it kept of a pool would be lost to all others
