"""The log of a run as it is drawn: its last lines, or those before one; and as it comes in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from functions_app import runlog
from functions_app.domain.runs import Status
from functions_app.models import Run

LINES = 1_000  # of the log on first paint, and for each "load earlier"
WORTH_A_WORD = {"debug", "warning", "error"}
DATE, DATE_AND_TIME = len("2026-11-28 "), len("2026-11-28 09:00:00.000")


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the log as it is drawn: flat and formatted."""

    sequence: str
    exact: str
    clock: str
    css: str
    level: str  # empty for info: a word on every line would be noise
    text: str


@dataclass(frozen=True)
class LogPage:
    """Some lines of a run's log: the last ones, or those before a number. `earlier` is the first one's where more are.

    `tidied`: the lines were deleted because of their age.
    """

    rows: list[LogRow]
    last: int
    earlier: int
    earlier_count: int
    tidied: bool


def log_page(run: Run, before: int | None = None) -> LogPage:
    """The last lines of a run's log, or those before a number. One query."""
    lines = runlog.tail(run.pk, LINES, before)
    first = lines[0].sequence if lines else 1
    return LogPage(
        rows=log_rows(lines),
        last=lines[-1].sequence if lines else 0,
        earlier=first if first > 1 else 0,
        earlier_count=first - 1,
        tidied=bool(run.line_count) and not lines and before is None and Status(run.status).ended,
    )


def log_rows(lines: Iterable[runlog.Line]) -> list[LogRow]:
    """Lines as rows."""
    rows = []
    for line in lines:
        at = line.at.astimezone(UTC).isoformat(" ", "milliseconds")  # strftime would cost as much as all the rest
        css = f"{line.level} of-{line.source}" if line.source != "drydock" else line.level
        word = line.level if line.level in WORTH_A_WORD else ""
        if line.source == "other":
            word = f"{word} of another call".strip()
        exact = at[:DATE_AND_TIME]
        rows.append(LogRow(str(line.sequence), f"{exact} UTC", exact[DATE:], css, word, line.text))
    return rows
