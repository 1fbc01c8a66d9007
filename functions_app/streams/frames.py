"""What goes over a stream: events, and pages of a log for whoever has lines to catch up with."""

from itertools import accumulate

from functions_app import runlog
from functions_app.streams.run_templates import log_html

PAGE_TEXT = 128 * 1024  # characters of lines in a page: each watcher that reads nothing holds one, and all may differ
FIRST_LINES = 16  # of a page that are read before it is known how long they are


def event(name: str, data: str, *, identity: int | None = None) -> bytes:
    """One server-sent event; without a name it is what hx-sse swaps in."""
    head = (f"event: {name}\n" if name else "") + (f"id: {identity}\n" if identity is not None else "")
    return (head + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()


def log_frame(lines: list[runlog.Line]) -> bytes:
    """Log lines as the event that appends them; its id is the last one's number, so that a resume is exact."""
    return event("", log_html(lines), identity=lines[-1].sequence)


def replay(run_id: int, after: int, until: int) -> tuple[int, bytes]:
    """Lines after `after` up to `until` as one frame, and the number of the last: of long ones few. Two queries."""
    lines = runlog.read(run_id, after, FIRST_LINES, until)
    if not lines:
        return until, b""
    left = PAGE_TEXT - sum(len(line.text) for line in lines)
    if left > 0 and len(lines) == FIRST_LINES:
        like_them = left * FIRST_LINES // max(1, PAGE_TEXT - left)
        lines += runlog.read(run_id, lines[-1].sequence, min(runlog.PAGE - FIRST_LINES, like_them + 1), until)
    lengths = accumulate(len(line.text) for line in lines)
    kept = lines[: max(1, sum(length <= PAGE_TEXT for length in lengths))]
    return kept[-1].sequence, log_frame(kept)
