"""Lines of a log group, gathered by the request that wrote them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from functions_app.domain.changes.logs.tail import Tail


@dataclass(frozen=True)
class FunctionLine:
    """One line a function wrote; `at` None: it comes from the tail, which tells no times."""

    text: str
    at: datetime | None = None


@dataclass
class Request:
    """Lines of one request, as far as they are known, and how many of them were shown."""

    stream: str = ""
    lines: list[FunctionLine] = field(default_factory=list)
    shown: int = 0
    reported: bool = False
    inner: dict[str, int] = field(default_factory=dict)  # requests that begin within these lines, and at which

    @property
    def texts(self) -> list[str]:
        """What its lines say."""
        return [line.text for line in self.lines]

    def fresh(self) -> list[FunctionLine]:
        """The lines that were not shown yet; from now on they were."""
        lines = self.lines[self.shown :]
        self.shown = len(self.lines)
        return lines

    def split(self, position: int) -> "Request":
        """Keep the lines before a position and give away the others."""
        inner = {name: start - position for name, start in self.inner.items() if start >= position}
        rest = Request(self.stream, self.lines[position:], max(0, self.shown - position), self.reported, inner)
        self.lines, self.shown = self.lines[:position], min(self.shown, position)
        self.inner = {name: start for name, start in self.inner.items() if start < position}
        return rest


class Sorter(Protocol):
    """Sorts lines into requests."""

    def take(self, stream: str, lines: list[FunctionLine], ours: str) -> None:
        """Take in the lines of one event, the next of its stream. `ours`: our request, '' while it is not known."""

    def find(self, ours: str, tail: Tail) -> Request | None:
        """Our request, where lines of it were seen."""

    def running(self) -> list[Request]:
        """Requests that could be ours and have not ended."""

    def foreign(self, ours: Request) -> tuple[str, ...]:
        """Other requests of which lines were shown; '' for one that is not known by name."""

    def forget(self, before: datetime, ours: str) -> None:
        """Let go of requests that ended before a moment and can't be ours."""
