"""Requests without START and REPORT: JSON logs at SystemLogLevel WARN, where Lambda says only what went wrong.

Loggers name the request in each line, so that the lines of a stream from the first that names it are its lines; those
before the first that names any belong to that one. What is printed plainly names none: then the tail tells which
stream is ours, and where our lines begin.
"""

from dataclasses import dataclass, field
from datetime import datetime

from functions_app.domain.changes.logs.report_lines import parse_request
from functions_app.domain.changes.logs.requests import FunctionLine, Request
from functions_app.domain.changes.logs.tail import Tail


@dataclass
class NamedRequests:
    """Sorts by stream, and by the request that a line names."""

    _streams: dict[str, Request] = field(default_factory=dict)  # what is not known to be ours, and who is in it
    _ours: Request | None = None

    def take(self, stream: str, lines: list[FunctionLine], ours: str) -> None:
        """Add lines to their stream, once ours is found to ours."""
        if self._ours is not None and self._ours.stream == stream:
            self._ours.lines += lines
            return
        request = self._streams.setdefault(stream, Request(stream))
        if name := parse_request(lines[0].text):
            request.inner.setdefault(name, len(request.lines) if request.inner else 0)
        request.lines += lines

    def find(self, ours: str, tail: Tail) -> Request | None:
        """Our request: first by name, else by what the tail says."""
        if self._ours is None:
            by_name = sorted(self._streams.values(), key=lambda request: ours not in request.inner)
            for request in by_name:
                position, said = request.inner.get(ours), tail.begins_in(request.texts)
                if said is not None and (tail.whole or position is None):
                    position = said if tail.whole else 0  # one that was cut begins anywhere in ours
                if position is not None:
                    self._ours = request.split(position)
                    break
        return self._ours

    def running(self) -> list[Request]:
        """Streams: each runs one request at a time, and nothing tells when it ended."""
        return list(self._streams.values())

    def foreign(self, ours: Request) -> tuple[str, ...]:
        """Who is named in what was shown of other streams, or of this one before ours; '' where nobody is."""
        others = [request for request in self._streams.values() if request.shown]
        named = [name for request in others for name, start in request.inner.items() if start < request.shown]
        return tuple(named) if named or not others else ("",)

    def forget(self, before: datetime, ours: str) -> None:
        """Let go of requests that another has followed in their stream before a moment."""
        for stream, request in self._streams.items():
            starts = [start for start in request.inner.values() if (at := request.lines[start].at) and at < before]
            if starts and not request.shown:
                self._streams[stream] = request.split(max(starts))
