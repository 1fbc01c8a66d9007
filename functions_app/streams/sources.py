"""What a feed tells: which numbered lines, as which bytes; pages of them for whoever has some to catch up with."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from functions_app import runlog

PAGE_TEXT = 128 * 1024  # characters of lines in a page: each watcher that reads nothing holds one, and all may differ
FIRST_LINES = 16  # of a page that are read before it is known how long they are


@dataclass(frozen=True)
class Snapshot:
    """What is told of as the database has it, rendered."""

    revision: int
    line_count: int
    ended: bool
    stranded: bool
    settled: bool
    frames: bytes  # how it stands


class Source(Protocol):
    """What a feed reads, in threads that have the database, and renders once for everybody who watches the same."""

    def snapshot(self) -> Snapshot | None:
        """How it stands; None where there is no such thing any more."""

    def read(self, after: int, limit: int, until: int) -> Sequence[Any]:
        """So many lines at most with a number above `after` up to `until`, in order."""

    def frame(self, lines: Sequence[Any]) -> bytes:
        """Lines as they go over the stream; the number of the last is an event's id."""


def replay(source: Source, after: int, until: int) -> tuple[int, bytes]:
    """Lines after `after` up to `until` as one frame, and the number of the last: of long ones few. Two queries."""
    lines = list(source.read(after, FIRST_LINES, until))
    if not lines:
        return until, b""
    left = PAGE_TEXT - sum(len(line.text) for line in lines)
    if left > 0 and len(lines) == FIRST_LINES:
        like_them = left * FIRST_LINES // max(1, PAGE_TEXT - left)
        lines += source.read(lines[-1].sequence, min(runlog.PAGE - FIRST_LINES, like_them + 1), until)
    lengths = accumulate(len(line.text) for line in lines)
    kept = lines[: max(1, sum(length <= PAGE_TEXT for length in lengths))]
    return kept[-1].sequence, source.frame(kept)
