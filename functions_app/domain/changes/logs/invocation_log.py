"""Which lines of a log group belong to our invocation, each once.

An execution environment (one log stream) serves one request at a time, from START to REPORT, so a line belongs to
the request that is open in its stream; lines before the first START (INIT_START, imports) belong to the next one.
Our request id is known only when Invoke answers. Until then lines are shown only while exactly one request that
could be ours is running; what was held back is shown once the answer has named ours.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from functions_app.domain.changes.logs.framed import FramedRequests
from functions_app.domain.changes.logs.named import NamedRequests
from functions_app.domain.changes.logs.report_lines import parse_end
from functions_app.domain.changes.logs.requests import FunctionLine, Request, Sorter
from functions_app.domain.changes.logs.tail import Tail, lines_of

KEPT = timedelta(minutes=1)  # after its REPORT a request without an answer is somebody else's; nothing older is reread


class LogEvent(Protocol):
    """An event of a log group."""

    @property
    def id(self) -> str:
        """Unique for ever."""

    @property
    def at(self) -> datetime:
        """When the function wrote it."""

    @property
    def stream(self) -> str:
        """The log stream: one execution environment."""

    @property
    def text(self) -> str:
        """One or more lines."""


@dataclass(frozen=True)
class Settled:
    """What is still to be shown once our request is known, and what has to be said about what was shown."""

    lines: tuple[FunctionLine, ...]
    foreign: tuple[str, ...] = ()  # requests of which lines were shown that turned out to be somebody else's, or ''
    theirs: tuple[int, ...] = ()  # which of the lines that were shown, from 0, are those
    gap: bool = False  # the tail was cut and does not reach back to the last line that was seen
    cut: bool = False  # the log group had not delivered all, and the tail was cut at 4 KB


class InvocationLog:
    """Sorts events into requests. `versions` are those our invocation may run on; others are never ours.

    `framed`: Lambda writes START and REPORT, which is all but JSON logs at SystemLogLevel WARN.
    """

    def __init__(self, versions: Collection[str] = (), *, framed: bool = True) -> None:
        self._sorter: Sorter = FramedRequests(versions) if framed else NamedRequests()
        self._framed = framed
        self._ours, self._tail = "", Tail("")
        self._settled: Request | None = None
        self._seen: dict[str, datetime] = {}
        self._shown: list[FunctionLine] = []

    def see(self, events: Iterable[LogEvent]) -> list[FunctionLine]:
        """Take in events (any of them again, in each stream's order); give the lines that can be shown now."""
        for event in events:
            if event.id not in self._seen:
                self._seen[event.id] = event.at
                if lines := [FunctionLine(line, event.at) for line in lines_of(event.text)]:
                    self._sorter.take(event.stream, lines, self._ours)
        if self._seen:
            self._forget(max(self._seen.values()) - KEPT)
        fresh = self._fresh()
        self._shown += fresh
        return fresh

    def _fresh(self) -> list[FunctionLine]:
        if self._ours:
            request = self._find()
            return request.fresh() if request else []
        running = self._sorter.running()
        return running[0].fresh() if len(running) == 1 else []

    def _forget(self, before: datetime) -> None:
        """Let go of what is no longer needed: a busy function logs more than memory holds while ours runs."""
        self._seen = {name: at for name, at in self._seen.items() if at >= before}
        self._sorter.forget(before, self._ours)

    def answered(self, request_id: str, tail: str) -> None:
        """Our request is known, and the end of its log."""
        self._ours, self._tail = request_id, Tail(tail)

    def lacking(self) -> bool:
        """Whether lines of our request are missing that the tail does not hold, so that waiting is worth it."""
        request = self._find()
        if request and self._is_complete(request):
            return False
        if not self._tail.text:
            return self._framed  # a log without a line has its frame at least
        return not self._tail.whole and self._tail.rest_after(request.texts if request else ()).gap

    def settle(self) -> Settled:
        """What of our request is still to show, filled from LogType=Tail where the group lags behind."""
        found = self._find()
        ours = found or Request()
        knows = found is not None or self._framed or self._tail.whole  # else what was shown may be ours after all
        foreign = self._sorter.foreign(ours) if knows else ()
        kept = {id(line) for line in ours.lines}
        theirs = tuple(number for number, line in enumerate(self._shown) if id(line) not in kept) if foreign else ()
        fresh, self._settled = ours.fresh(), ours
        if not self._tail.text or self._is_complete(ours):
            return Settled(tuple(fresh), foreign, theirs)
        rest = self._tail.rest_after(ours.texts)
        ours.lines += [FunctionLine(line) for line in rest.lines]
        return Settled((*fresh, *ours.fresh()), foreign, theirs, rest.gap, rest.cut)

    def lines(self) -> tuple[str, ...]:
        """All lines known of our request."""
        request = self._find()
        return tuple(request.texts) if request else ()

    def _find(self) -> Request | None:
        return self._settled or self._sorter.find(self._ours, self._tail)

    def _is_complete(self, request: Request) -> bool:
        """Whether its end was seen: the one that the tail tells of, since a function may print one like it before."""
        if not request.reported:
            return False
        ends = [line for line in self._tail.lines() if parse_end(line) == self._ours]
        return not ends or ends[-1] in request.texts
