"""The log of an invocation under way: a second thread brings the lines of the log group into the run's log."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from django.db import connections, transaction

from functions_app.aws import logs
from functions_app.aws.lambdas import InvokeAnswer
from functions_app.aws.session import Target
from functions_app.domain.changes.logs.invocation_log import InvocationLog
from functions_app.domain.changes.logs.levels import level_of
from functions_app.domain.changes.logs.report_lines import Report, find_report
from functions_app.domain.changes.logs.requests import FunctionLine
from functions_app.domain.changes.logs.streams import may_be_written_by
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import LogLines
from functions_app.models import LogLine
from functions_app.runlog import Logger
from functions_app.services.engine.leases import Lease

POLL_EVERY = 0.3  # seconds between two looks at the log group
SKEW = timedelta(seconds=2)  # the clocks of AWS's own hosts, one against another
OVERLAP = timedelta(seconds=10)  # looked at again, because events arrive late and out of order between streams
LATE = 15.0  # seconds the log group gets, after the answer, to deliver up to REPORT (CloudWatch may take several)
BEHIND = 600.0  # seconds after the answer in which what was delivered, and is more than one page, is still read
MOST = 250_000  # lines of one invocation that are kept
AT_ONCE = 5_000  # lines that are marked by one statement
FUNCTION, OTHER = "function", "other"  # sources of lines: this invocation, and another one of the function


@dataclass(frozen=True)
class LogPlace:
    """Where a function's lines are: a log group, which others may share, and the versions that may write ours."""

    target: Target
    group: str
    function: str
    versions: tuple[str, ...]
    framed: bool  # START and REPORT are written

    def may_write(self, stream: str) -> bool:
        """Whether a stream of the group may hold our lines."""
        return may_be_written_by(stream, self.group, self.function, self.versions)


class LiveLog:
    """Brings a log group's lines into the run's log, from a thread of its own, while the invocation is under way.

    `since` is when the invocation began, by AWS's clock.
    """

    def __init__(self, place: LogPlace, log: Logger, since: datetime) -> None:
        self.cut = False
        self.full = False  # as many lines are kept as there may be
        self.theirs: list[list[int]] = []  # lines of functions in the run's log that are not ours: from, to; from 0
        self._stored: list[int] = []  # how many lines of the run's log became of each line shown
        self._room = self._most = MOST
        self._behind = False  # more was delivered than is read by now
        self._lines = LogLines()
        self._place, self._log, self._since = place, log, since - SKEW
        self._merge = InvocationLog(place.versions, framed=place.framed)
        self._refused = False  # whether AWS refuses to show the group: nothing is worth waiting for
        self._lock = threading.Lock()  # around the merge and the log: a line is decided and written in one go
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="invocation-log", daemon=True)

    def __enter__(self) -> "LiveLog":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:  # after a line that is just being written, and before any other
            self._stop.set()

    def report(self, request_id: str) -> Report | None:
        """The figures of the request, where its REPORT line was seen."""
        return find_report(self._merge.lines(), request_id)

    def settle(self, answer: InvokeAnswer) -> None:
        """Our request is known: wait a little for the group if the tail does not reach, then write what is missing."""
        with self._lock:
            self._merge.answered(answer.request_id, answer.log_tail)
        until = end = time.monotonic() + LATE
        end += BEHIND
        while time.monotonic() < until and self._thread.is_alive() and not self._refused and not self.full:
            with self._lock:
                if not self._merge.lacking():
                    break
            if self._behind:
                until = min(end, time.monotonic() + LATE)
            self._stop.wait(POLL_EVERY / 3)
        with self._lock:
            self._stop.set()
            settled = self._merge.settle()
            self._disown(settled.foreign, settled.theirs)
            if settled.gap and not self.full:
                self.cut = True
                self._log.warning(self._gap())
            self._write(settled.lines)

    def _gap(self) -> str:
        if self._refused:
            return f"Lines are missing here: {self._place.group} can't be read, and Lambda's own tail is cut at 4 KB."
        return (
            "Lines may be missing here: the log group did not deliver them yet, and Lambda's own tail is cut "
            f"at 4 KB. All of them will be in {self._place.group}."
        )

    def _disown(self, foreign: tuple[str, ...], theirs: tuple[int, ...]) -> None:
        ends = [0, *accumulate(self._stored)]
        for number in filter(range(len(self._stored)).__contains__, theirs):
            start, end = ends[number : number + 2]
            if self.theirs and self.theirs[-1][1] == start:
                self.theirs[-1][1] = end
            else:
                self.theirs.append([start, end])
        for request_id in foreign:
            lines = f"Lines of request {request_id}" if request_id else "Some lines"
            self._log.warning(f"{lines} above belong to another invocation, which ran at the same time.")

    def _work(self) -> None:
        quiet = False
        try:
            while not self._stop.is_set() and not self._refused and not self.full:
                try:
                    self._look()
                except DrydockError as error:
                    if error.problem.code is Code.DENIED:
                        self._refuse(error)
                    elif error.problem.code is not Code.NOT_FOUND and not quiet:  # a group comes with the first line
                        self._log.warning(f"The log group can't be read now; the log comes at the end. {error}")
                    quiet = True
                self._stop.wait(0 if self._refused else POLL_EVERY)
        finally:
            connections.close_all()

    def _refuse(self, error: DrydockError) -> None:
        """Say at once what is missing; asking again would change nothing."""
        with self._lock:
            self._refused = True
            if not self._stop.is_set():
                self._log.warning(
                    f"{self._place.group} can't be read, so that only the last 4 KB of the log come, at the end. "
                    f"{error} {error.problem.next_step}".rstrip()
                )

    def _look(self) -> None:
        """Read on to the end of what there is; each page is shown before the next is asked for.

        A look goes back by OVERLAP alone, so that however many pages there are, the last is reached.
        """
        try:
            for page in logs.pages(self._place.target, self._place.group, self._since):
                with self._lock:
                    if self._stop.is_set() or self.full:
                        return
                    self._behind = page.more
                    ours = (event for event in page.events if self._place.may_write(event.stream))
                    self._write(self._merge.see(ours))
                if page.events:
                    self._since = max(self._since, page.events[-1].at - OVERLAP)
        finally:
            self._behind = False

    def _write(self, lines: Iterable[FunctionLine]) -> None:
        for line in lines:
            if not self._room:
                self._end_here()
                return
            self._room -= 1
            self._stored.append(self._log.add(level_of(line.text), line.text, FUNCTION, line.at, self._lines.clean))

    def _end_here(self) -> None:
        if not self.full:
            self.full = True
            self._log.warning(
                f"Drydock keeps {self._most:,} lines of an invocation, and this one wrote more: the others are in "
                f"{self._place.group}."
            )


def give_away(lease: Lease, theirs: Sequence[Sequence[int]]) -> None:
    """Mark lines as another invocation's: from, to, by their place among the lines of functions. Raises LeaseLost."""
    lines = LogLine.objects.filter(run_id=lease.run_id, source__in=(FUNCTION, OTHER)).order_by("sequence")
    with transaction.atomic():
        lease.write()
        numbers = list(lines.values_list("sequence", flat=True)[: theirs[-1][1]])
        chosen = [number for start, end in theirs for number in numbers[start:end]]
        for begin in range(0, len(chosen), AT_ONCE):
            lines.filter(sequence__in=chosen[begin : begin + AT_ONCE]).update(source=OTHER)
