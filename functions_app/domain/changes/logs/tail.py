"""LogType=Tail: the last 4 KB of a log, and what of it is not known yet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain.changes.logs.report_lines import parse_start
from functions_app.domain.text import line_feeds

TAIL_BYTES = 4096  # what LogType=Tail gives at most
FAR = 1_000  # lines before what a tail may reach back to: what was known then is not compared with it


def lines_of(text: str) -> list[str]:
    """Split an event or a tail into lines; trailing white space differs between the two, so it goes."""
    whole = line_feeds(text.removesuffix("\n").rstrip("\r"))
    return [line.rstrip() for line in whole.split("\n")] if text else []


@dataclass(frozen=True)
class Rest:
    """The lines of a tail after what is known of the log."""

    lines: tuple[str, ...] = ()
    gap: bool = False  # lines may be missing between what is known and these
    cut: bool = False  # the tail has a beginning that is neither in it nor known


@dataclass(frozen=True)
class Tail:
    """A log's end as Lambda's answer holds it."""

    text: str

    @property
    def whole(self) -> bool:
        """Whether it is the whole log of its request."""
        return len(self.text.encode()) < TAIL_BYTES

    def lines(self) -> list[str]:
        """Its lines; of one that was cut the first may have lost its beginning."""
        return lines_of(self.text)

    def begins_in(self, known: Sequence[str]) -> int | None:
        """Where it begins in a log of which `known` is the beginning; None where the two have nothing in common.

        From there on both say the same until one of them ends. The earliest place, so that no line comes twice, even
        where lines repeat.
        """
        lines, partial = self._lines()
        # The end of one line proves nothing: lines of JSON end all alike.
        last = len(known) - (1 if partial and len(lines) > 1 else 0)
        for position in range(max(0, len(known) - len(lines) - FAR), last):
            if lines and _same(known[position : position + len(lines)], lines, partial=partial):
                return position
        return None

    def rest_after(self, known: Sequence[str]) -> Rest:
        """What it adds to a log of which `known` is the beginning."""
        lines, partial = self._lines()
        position = self.begins_in(known)
        from_start = _from_start(known)
        if lines and parse_start(lines[0]) and lines[: len(from_start)] == from_start:
            return Rest(tuple(lines[len(from_start) :]))
        if position is not None:
            return Rest(tuple(lines[len(known) - position :]), cut=not self.whole)
        if self.whole or (lines and parse_start(lines[0])):
            return Rest(tuple(_without(lines, known)), gap=not self.whole and bool(known))
        # Where it was cut, the first line is most likely the end of one whose beginning is gone.
        return Rest(tuple(lines[1:] if partial else lines), gap=True, cut=True)

    def _lines(self) -> tuple[list[str], bool]:
        """Its lines, and whether the first of them may have lost its beginning."""
        lines = lines_of(self.text)
        if self.whole or not lines:
            return lines, False
        return (lines, True) if lines[0] else (lines[1:], False)  # cut at the end of a line


def _same(known: Sequence[str], lines: Sequence[str], *, partial: bool) -> bool:
    first = known[0].endswith(lines[0]) if partial else known[0] == lines[0]
    return first and list(known[1:]) == list(lines[1 : len(known)])


def _from_start(known: Sequence[str]) -> list[str]:
    """Without what was written before START (the tail may begin there)."""
    for position, line in enumerate(known):
        if parse_start(line):
            return list(known[position:])
    return list(known)


def _without(lines: Sequence[str], known: Sequence[str]) -> list[str]:
    """The lines that are not known, in their order; a line that is known so often is left out so often."""
    left = Counter(known)
    rest = []
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            rest.append(line)
    return rest
