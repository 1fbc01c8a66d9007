"""What is written where: answers to standard output, all else to standard error, progress to a terminal alone."""

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from drydock_cli.failures import Document, Failure
from drydock_cli.text import line, printable

CLEAR = "\r\x1b[K"  # the line that the cursor is in (ECMA-48)


class Screen:
    """Standard output and error. With `as_json` the answer's document is all that output gets."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out, self._err = out or sys.stdout, err or sys.stderr
        self._progress = False

    def answer(self, document: Document, lines: Iterable[str] = ()) -> None:
        """An answer: its document, or these lines and its own."""
        if self.as_json:
            self._write(self._out, json.dumps(document, indent=2))  # ASCII: nothing that a terminal obeys
            return
        for each in (*lines, line(str(document.get("text", "")))):
            self._write(self._out, each)

    def log(self, told: Document) -> None:
        """A line of a run's log: its time (UTC), its level where that is worth a word, its text."""
        level = told["level"].upper() if told["level"] in ("warning", "error") else ""
        text = " ".join(part for part in (str(told["at"])[11:23], level, str(told["text"])) if part)
        self._write(self._err if self.as_json else self._out, printable(text))

    def note(self, text: str) -> None:
        """Something beside the answer."""
        self._write(self._err, f"drydock: {line(text)}")

    def plain(self, text: str) -> None:
        """Text of our own, as it is."""
        self._write(self._out, text)

    def failed(self, failure: Failure) -> None:
        """Why the command ends."""
        if self.as_json and failure.document is not None:
            self._write(self._out, json.dumps(failure.document, indent=2))
        self.note(failure.line)

    def progress(self, text: str) -> None:
        """What goes on, in a line that the next text takes away."""
        if self._err.isatty():
            self._err.write(f"{CLEAR}{line(text)[:78]}")
            self._err.flush()
            self._progress = True

    def clear(self) -> None:
        """Take the line of progress away."""
        if self._progress:
            self._err.write(CLEAR)
            self._err.flush()
            self._progress = False

    def _write(self, stream: TextIO, text: str) -> None:
        self.clear()
        stream.write(f"{text}\n")
        stream.flush()
