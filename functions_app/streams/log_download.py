"""A run's log as a file, page by page."""

import re
from collections.abc import Iterator

from functions_app import runlog

PATH = re.compile(r"/runs/(\d{1,18})/log\.txt")
PAGE = 250  # lines: 2 MB of the longest


def log_pieces(run_id: int) -> Iterator[bytes]:
    """The whole log as text. One query for each piece."""
    after = 0
    while lines := runlog.read(run_id, after, PAGE):
        yield "".join(map(as_text, lines)).encode()
        after = lines[-1].sequence


def as_text(line: runlog.Line) -> str:
    """A line as the file has it."""
    source = "" if line.source == "drydock" else f"[{line.source}] "
    return f"{line.sequence} {line.at.isoformat()} {line.level.upper():7} {source}{line.text}\n"
