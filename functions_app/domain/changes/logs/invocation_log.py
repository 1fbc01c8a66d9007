"""Which lines of a log group belong to our invocation, each once.

An execution environment (one log stream) serves one request at a time, from START to REPORT, so a line belongs to
the request that is open in its stream; lines before the first START (INIT_START, imports) belong to the next one.
Our request id is known only when Invoke answers. Until then lines are shown only while exactly one request that
could be ours is running; what was held back is shown once the answer has named ours.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from functions_app.domain.changes.logs.report_lines import Started, parse_report, parse_start

TAIL_BYTES = 4096  # what LogType=Tail gives at most
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
class FunctionLine:
    """One line a function wrote; `at` None: it comes from the tail, which tells no times."""

    text: str
    at: datetime | None = None


def lines_of(text: str) -> list[str]:
    """Split an event or a tail into lines; trailing white space differs between the two, so it goes."""
    return [line.rstrip() for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n")] if text else []


@dataclass
class _Request:
    lines: list[FunctionLine]
    shown: int = 0
    reported: bool = False

    def fresh(self) -> list[FunctionLine]:
        lines = self.lines[self.shown :]
        self.shown = len(self.lines)
        return lines


@dataclass(frozen=True)
class Settled:
    """What is still to be shown once our request is known, and what has to be said about what was shown."""

    lines: tuple[FunctionLine, ...]
    foreign: tuple[str, ...] = ()  # requests of which lines were shown that turned out to be somebody else's
    gap: bool = False  # the tail was cut and does not reach back to the last line that was seen
    cut: bool = False  # the log group had not delivered all, and the tail was cut at 4 KB


@dataclass
class InvocationLog:
    """Sorts events into requests. `versions` are those our invocation may run on; others are never ours."""

    versions: Collection[str] = ()
    ours: str = ""  # our request id, once the answer has named it
    _seen: dict[str, datetime] = field(default_factory=dict)
    _requests: dict[str, _Request] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)  # stream -> request
    _before: dict[str, list[FunctionLine]] = field(default_factory=dict)  # stream -> lines before its next START

    def see(self, events: Iterable[LogEvent]) -> list[FunctionLine]:
        """Take in events (any of them again, in each stream's order); give the lines that can be shown now."""
        for event in events:
            if event.id not in self._seen:
                self._seen[event.id] = event.at
                self._take(event.stream, [FunctionLine(line, event.at) for line in lines_of(event.text)])
        if self._seen:
            self._forget(max(self._seen.values()) - KEPT)
        if self.ours:
            request = self._requests.get(self.ours)
            return request.fresh() if request else []
        running = [request for request in self._requests.values() if not request.reported]
        return running[0].fresh() if len(running) == 1 else []

    def _forget(self, before: datetime) -> None:
        """Let go of what is no longer needed: a busy function logs more than memory holds while ours runs."""
        self._seen = {name: at for name, at in self._seen.items() if at >= before}
        for name, request in list(self._requests.items()):
            last = request.lines[-1].at if request.lines else None
            if request.reported and name != self.ours and last is not None and last < before:
                request.lines = []
                if not request.shown:
                    del self._requests[name]

    def lacking(self, tail: str) -> bool:
        """Whether lines of our request are missing that the tail does not hold, so that waiting is worth it."""
        request = self._requests.get(self.ours)
        if request and request.reported:
            return False
        return not tail or _missing(_texts(request.lines) if request else [], tail)[1]

    def settle(self, request_id: str, tail: str) -> Settled:
        """Our request is known: what of it is still to show, filled from LogType=Tail where the group lags behind."""
        self.ours = request_id
        foreign = tuple(name for name, other in self._requests.items() if other.shown and name != request_id)
        ours = self._requests.setdefault(request_id, _Request([]))
        fresh = ours.fresh()
        if ours.reported or not tail:
            return Settled(tuple(fresh), foreign)
        missing, gap, cut = _missing(_texts(ours.lines), tail)
        rest = [FunctionLine(line) for line in missing]
        ours.lines += rest
        ours.shown = len(ours.lines)
        return Settled((*fresh, *rest), foreign, gap, cut)

    def lines(self, request_id: str) -> tuple[str, ...]:
        """All lines known of that request."""
        request = self._requests.get(request_id)
        return tuple(_texts(request.lines)) if request else ()

    def _take(self, stream: str, lines: list[FunctionLine]) -> None:
        """Sort in the lines of one event; what follows REPORT in the same event (X-Ray) belongs to it too."""
        if not lines:
            return
        if started := parse_start(lines[0].text):
            self._start(stream, started, lines)
            return
        request = self._requests.get(self._open.get(stream, ""))
        if request is None:
            before = self._before.setdefault(stream, [])
            before += lines
            if any(parse_report(line.text) for line in lines):
                before.clear()  # the end of a request that began before we looked
            return
        request.lines += lines
        if any(parse_report(line.text) for line in lines):
            request.reported = True
            del self._open[stream]

    def _start(self, stream: str, started: Started, lines: list[FunctionLine]) -> None:
        before = self._before.pop(stream, [])
        self._open.pop(stream, None)
        if not self.versions or not started.version or started.version in self.versions:
            self._open[stream] = started.request_id
            self._requests[started.request_id] = _Request([*before, *lines])


def _texts(lines: Iterable[FunctionLine]) -> list[str]:
    return [line.text for line in lines]


def _missing(known: list[str], tail: str) -> tuple[list[str], bool, bool]:
    """Lines of the tail after what is known; whether lines may be missing between; whether the tail was cut.

    What is known is a beginning of the log, the tail its end, so they overlap by the longest suffix of the one that
    is a prefix of the other: never a line twice, even where lines repeat.
    """
    lines = lines_of(tail)
    cut = len(tail.encode()) >= TAIL_BYTES
    since_start = _from_start(known)
    if parse_start(lines[0]) and lines[: len(since_start)] == since_start:
        return lines[len(since_start) :], False, False
    for length in range(min(len(known), len(lines)), 0, -1):
        if _overlap(known[-length:], lines[:length], cut):
            return lines[length:], False, cut
    whole = parse_start(lines[0]) is not None
    # Where it was cut, the first line is most likely the end of one whose beginning is gone.
    return lines[1:] if cut and not whole else lines, bool(known) or not whole, cut and not whole


def _overlap(known: list[str], lines: list[str], cut: bool) -> bool:
    if cut:
        return known[0].endswith(lines[0]) and known[1:] == lines[1:]
    return known == lines


def _from_start(known: list[str]) -> list[str]:
    """Without what was written before START (the tail may begin there)."""
    for position, line in enumerate(known):
        if parse_start(line):
            return known[position:]
    return known
