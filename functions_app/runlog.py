"""One log for runs: redact, number within the run, store in batches, publish. The database is the truth.

A line is numbered in the transaction that inserts it, so numbers have neither gap nor double, whoever writes and
however a writer ends. Publishing to Redis is a hint to the streams that watch; that it fails never fails a run.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import Error, close_old_connections, connections, transaction
from django.db.models import F

from functions_app import clock
from functions_app.domain.redaction import clean_lines
from functions_app.domain.runs import ACTIVE
from functions_app.models import LogLine, Run
from functions_app.publishing import publish

FLUSH_EVERY = 0.025  # seconds between two batches of one process; the first line after a pause goes at once
FLUSH_LINES = 200  # lines that are not kept waiting
PRESSURE = 5_000  # lines: whoever logs more before they are stored has to store them himself
IDLE = 5.0  # seconds without lines after which the writer's thread ends
PAGE = 1_000
PUBLISHED = 1024 * 1024  # characters of a batch that is published: Redis cuts off whoever has 32 MB waiting for him

server_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One stored line, as first paint, replay, stream and download show it."""

    sequence: int
    at: datetime
    level: str
    source: str
    text: str


CHANNELS = "drydock:run:*"
FLEET = "drydock:fleet"


def channel(run_id: int) -> str:
    """The Redis channel of one run."""
    return f"drydock:run:{run_id}"


# Reading


def read(run_id: int, after: int = 0, limit: int = PAGE, until: int | None = None) -> list[Line]:
    """Lines numbered above `after` (and up to `until`), oldest first, at most `limit`. One query."""
    rows = LogLine.objects.filter(run_id=run_id, sequence__gt=after)
    if until is not None:
        rows = rows.filter(sequence__lte=until)
    columns = rows.order_by("sequence").values_list("sequence", "at", "level", "source", "text")
    return [Line(*row) for row in columns[:limit]]


def tail(run_id: int, limit: int = PAGE, before: int | None = None) -> list[Line]:
    """The last `limit` lines (below `before`), oldest first. One query."""
    rows = LogLine.objects.filter(run_id=run_id)
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    columns = rows.order_by("-sequence").values_list("sequence", "at", "level", "source", "text")
    return [Line(*row) for row in reversed(columns[:limit])]


def read_all(run_id: int) -> Iterator[Line]:
    """Every line, page by page, for the download: a log of 100,000 lines is never in memory at once."""
    after = 0
    while page := read(run_id, after):
        yield from page
        after = page[-1].sequence


# Publishing


def announce(run_id: int) -> None:
    """Tell the watchers that the run or its steps changed; they read it from the database."""
    publish(channel(run_id), {"changed": True})


def announce_fleet() -> None:
    """Tell every open page that the fleet changed; they read it from the database."""
    publish(FLEET, {"changed": True})


def decode(message: bytes | str) -> tuple[Line, ...]:
    """The lines that a published message carries; none when it only says that the run changed."""
    return tuple(
        Line(number, datetime.fromisoformat(at), *rest) for number, at, *rest in json.loads(message).get("lines", ())
    )


# Writing

Entry = tuple[datetime, str, str, str]  # at, level, source, text


def append(run_id: int, entries: list[Entry], owner: str = "", unsure: int = 0, after: int = 0) -> list[Line]:
    """Number and store lines in one transaction; a run that has ended takes no more (its count was announced).

    With an `owner`, only as long as the run is his: a worker that lost its run writes nothing. Of the first `unsure`
    nobody knows whether they were stored, as lines above `after`: where they were, only the others are.
    """
    with transaction.atomic():
        open_runs = Run.objects.filter(pk=run_id, status__in=ACTIVE, **({"lease_owner": owner} if owner else {}))
        if not open_runs.update(line_count=F("line_count") + len(entries)):
            gone = "is another worker's" if owner else "has ended"
            server_log.warning("run %s %s: %d late lines are dropped", run_id, gone, len(entries))
            return []
        if unsure and _are_stored(run_id, after, entries[0]):
            Run.objects.filter(pk=run_id).update(line_count=F("line_count") - unsure)
            entries = entries[unsure:]
        last = Run.objects.values_list("line_count", flat=True).get(pk=run_id)
        first = last - len(entries) + 1
        lines = [Line(first + offset, *entry) for offset, entry in enumerate(entries)]
        rows = [LogLine(run_id=run_id, **asdict(line)) for line in lines]
        LogLine.objects.bulk_create(rows, batch_size=500)
    if not lines or sum(len(line.text) for line in lines) > PUBLISHED:
        announce(run_id)
        return lines
    told = [(line.sequence, line.at.isoformat(), line.level, line.source, line.text) for line in lines]
    publish(channel(run_id), {"lines": told})
    return lines


def _are_stored(run_id: int, after: int, first: Entry) -> bool:
    """Whether a batch is stored, by its first line. Whoever asks holds the run's row: no commit is still on its way."""
    facts = dict(zip(("at", "level", "source", "text"), first, strict=True))
    return LogLine.objects.filter(run_id=run_id, sequence__gt=after, **facts).exists()


def append_message(run_id: int, level: str, text: str) -> None:
    """Store one message now, for whoever says a single thing about a run (a worker uses a Logger)."""
    now = clock.now()
    append(run_id, [(now, level, "drydock", line) for line in clean_lines(text)])


class Logger:
    """The log of one run in this process. Lines are stored by the process's writer within FLUSH_EVERY.

    `owner` is who holds the run's lease; '' for whoever logs without one.
    """

    def __init__(self, run_id: int, owner: str = "") -> None:
        self.run_id = run_id
        self.owner = owner
        self._entries: list[Entry] = []
        self._unsure = 0  # so many of them may be stored: the database was lost before it told
        self._last = 0  # the number of the last line that is known to be stored
        self._buffer = threading.Lock()
        self._storing = threading.Lock()  # taking and storing are one: batches keep their order

    def info(self, text: str, source: str = "drydock", at: datetime | None = None) -> None:
        """Add lines of level info; `source` "function" marks a function's own output, `at` is when it said it."""
        self.add("info", text, source, at)

    def warning(self, text: str, source: str = "drydock", at: datetime | None = None) -> None:
        """Add lines of level warning."""
        self.add("warning", text, source, at)

    def error(self, text: str, source: str = "drydock", at: datetime | None = None) -> None:
        """Add lines of level error."""
        self.add("error", text, source, at)

    def add(
        self,
        level: str,
        text: str,
        source: str,
        at: datetime | None,
        clean: Callable[[str], list[str]] = clean_lines,
    ) -> int:
        """Redact, split into lines, so many, and buffer them. Blocks only when PRESSURE lines wait to be stored.

        `clean` is that of a log whose lines come one by one.
        """
        when = at or clock.now()
        entries = [(when, level, source, line) for line in clean(text)]
        with self._buffer:
            self._entries += entries
            waiting = len(self._entries)
        if waiting >= PRESSURE:
            try:
                self.flush()
            except Error:  # whoever logs is not to fail for it: the lines are kept, and the writer tries again
                server_log.exception("run %s: its lines could not be stored, trying again", self.run_id)
        writer().wake(self, at_once=waiting >= FLUSH_LINES)
        return len(entries)

    def flush(self) -> None:
        """Store what is buffered now. Raises django.db.Error, and then keeps the lines for the next attempt."""
        with self._storing:
            with self._buffer:
                entries, self._entries = self._entries, []
            if not entries:
                return
            try:
                stored = append(self.run_id, entries, self.owner, self._unsure, self._last)
            except BaseException:
                with self._buffer:
                    self._entries = entries + self._entries
                self._unsure = len(entries)
                raise
            self._unsure, self._last = 0, stored[-1].sequence if stored else self._last

    def idle(self) -> bool:
        """Whether nothing waits to be stored."""
        with self._buffer:
            return not self._entries

    def close(self) -> None:
        """Store what is left; for a process that is about to end."""
        self.flush()


class _Writer:
    """The one thread of this process that stores the lines of all runs; it ends when nothing is logged."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._pending: set[Logger] = set()
        self._at_once = False
        self._alive = False

    def wake(self, logger: Logger, *, at_once: bool) -> None:
        """Have the logger's lines stored soon, or without waiting for the batch to fill."""
        with self._condition:
            self._pending.add(logger)
            self._at_once |= at_once
            if not self._alive:
                self._alive = True
                threading.Thread(target=self._work, name="runlog", daemon=True).start()
            self._condition.notify()

    def _work(self) -> None:
        try:
            while self._has_work():
                with self._condition:
                    pending, self._pending, self._at_once = self._pending, set(), False
                for logger in pending:
                    self._store(logger)
                with self._condition:
                    self._condition.wait_for(lambda: self._at_once, FLUSH_EVERY)
        except BaseException:
            with self._condition:
                self._alive = False  # the next line starts another thread
            raise
        finally:
            connections.close_all()

    def _has_work(self) -> bool:
        with self._condition:
            if not self._pending and not self._condition.wait_for(lambda: bool(self._pending), IDLE):
                self._alive = False
            return self._alive

    def _store(self, logger: Logger) -> None:
        if logger.idle():
            return  # the run flushed it already: no connection for nothing
        close_old_connections()
        try:
            logger.flush()
        except Error:  # DatabaseError, and InterfaceError of a connection that broke
            server_log.exception("run %s: its lines could not be stored, trying again", logger.run_id)
            with self._condition:
                self._pending.add(logger)


_writers: dict[int, _Writer] = {}
_making = threading.Lock()


def writer() -> _Writer:
    """The writer of this process (a forked child has its own: threads do not survive a fork)."""
    process = os.getpid()
    found = _writers.get(process)
    if found is None:
        with _making:
            found = _writers.setdefault(process, _Writer())
    return found
