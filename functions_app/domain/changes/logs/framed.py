"""Requests whose lines stand between START and REPORT.

A function may print such lines too, its own or those of another. While a request is open only its own REPORT ends it,
the last there is, and a START within it counts only once AWS has named that request as ours.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from functions_app.domain.changes.logs.report_lines import Started, parse_end, parse_start
from functions_app.domain.changes.logs.requests import FunctionLine, Request
from functions_app.domain.changes.logs.tail import Tail


@dataclass
class FramedRequests:
    """Sorts by START and REPORT. `versions` are those our invocation may run on; others are never ours."""

    versions: Collection[str] = ()
    _requests: dict[str, Request] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)  # stream -> request
    _before: dict[str, list[FunctionLine]] = field(default_factory=dict)  # stream -> lines before its next START

    def take(self, stream: str, lines: list[FunctionLine], ours: str) -> None:
        """Sort in the lines of one event; what follows REPORT in the same event (X-Ray) belongs to it too."""
        started = parse_start(lines[0].text)
        request = self._requests.get(self._open.get(stream, ""))
        if started and (request is None or (started.request_id == ours and ours not in self._requests)):
            self._start(stream, started, lines)
        elif request is None:
            self._take_between(stream, lines)
        else:
            if started and self._may_run(started):
                request.inner.setdefault(started.request_id, len(request.lines))
            self._add(stream, request, self._open[stream], lines)

    def find(self, ours: str, tail: Tail) -> Request | None:
        """Our request; where it began within another, that one's end was never delivered, or it is none."""
        if found := self._requests.get(ours):
            return found
        for name, other in self._requests.items():
            if ours in other.inner:
                return self._free(name, other, ours)
        return None

    def running(self) -> list[Request]:
        """Requests without REPORT."""
        return [request for request in self._requests.values() if not request.reported]

    def foreign(self, ours: Request) -> tuple[str, ...]:
        """Other requests of which lines were shown."""
        return tuple(name for name, other in self._requests.items() if other.shown and other is not ours)

    def forget(self, before: datetime, ours: str) -> None:
        """Let go of requests that ended before a moment; of one that was shown its name is kept."""
        for name, request in list(self._requests.items()):
            last = request.lines[-1].at if request.lines else None
            if request.reported and name != ours and last is not None and last < before:
                request.lines = []
                if not request.shown:
                    del self._requests[name]

    def _may_run(self, started: Started) -> bool:
        return not self.versions or not started.version or started.version in self.versions

    def _start(self, stream: str, started: Started, lines: list[FunctionLine]) -> None:
        before = self._before.pop(stream, [])
        self._open.pop(stream, None)
        if self._may_run(started):
            self._open[stream] = started.request_id
            request = self._requests.setdefault(started.request_id, Request(stream))
            request.reported = False  # of one that is known the end was not its own
            self._add(stream, request, started.request_id, [*before, *lines])

    def _add(self, stream: str, request: Request, name: str, lines: list[FunctionLine]) -> None:
        request.lines += lines
        if any(parse_end(line.text) == name for line in lines):
            request.reported = True
            request.inner.clear()
            self._open.pop(stream, None)

    def _take_between(self, stream: str, lines: list[FunctionLine]) -> None:
        """Lines between two requests belong to the next one, unless the last one ends only now."""
        before = self._before.setdefault(stream, [])
        before += lines
        ended = [name for line in lines if (name := parse_end(line.text))]
        if not ended:
            return
        del self._before[stream]  # without a request: the end of one that began before we looked
        request = self._requests.get(ended[-1])
        if request is not None and request.stream == stream:
            self._add(stream, request, ended[-1], before)

    def _free(self, name: str, other: Request, ours: str) -> Request:
        """Take our request out of one that only seemed to be open."""
        request = self._requests[ours] = other.split(other.inner[ours])
        if self._open.get(other.stream) == name:
            del self._open[other.stream]
        ends = [number for number, text in enumerate(request.texts) if parse_end(text) == ours]
        request.reported = bool(ends)
        if ends:
            request.split(min((start for start in request.inner.values() if start > ends[-1]), default=ends[-1] + 1))
        else:
            self._open[other.stream] = ours
        return request
