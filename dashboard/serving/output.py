"""What all processes say, line by line, each with the name of who says it."""

import errno
import io
import os
import sys

NAME = "drydock"
LONGEST = 64 * 1024  # bytes of a line that has not ended; then it is printed all the same
NOBODY = (errno.EPIPE, errno.EIO, errno.EBADF)  # the reader of a pipe is gone, the terminal closed


class WhileHeard(io.TextIOBase):
    """Standard output, for as long as anybody reads it; a line for which the disk of its file has no room is left out.

    What is served goes on, or ends by the signal that comes with a closed terminal.
    """

    def write(self, text: str) -> int:
        """Print it at once."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            if error.errno in NOBODY:
                sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
        return len(text)


class Output:
    """The lines of all processes."""

    def __init__(self, width: int) -> None:
        self._width = max(width, len(NAME))
        self._heard = WhileHeard()
        self._begun: dict[str, bytes] = {}  # by process: the line it has not ended yet
        if isinstance(sys.stdout, io.TextIOWrapper):  # what the terminal can't show is written out, and no error
            sys.stdout.reconfigure(errors="backslashreplace")

    def say(self, text: str) -> None:
        """A line of our own."""
        self._print(NAME, text)

    def write(self, name: str, data: bytes) -> None:
        """What a process wrote, in pieces of any length."""
        *lines, rest = (self._begun.pop(name, b"") + data).split(b"\n")
        for line in lines:
            self._print(name, line.decode(errors="replace"))
        if len(rest) > LONGEST:
            self._print(name, rest.decode(errors="replace"))
        elif rest:
            self._begun[name] = rest

    def flush(self) -> None:
        """The lines that nobody ended."""
        for name, rest in self._begun.items():
            self._print(name, rest.decode(errors="replace"))
        self._begun.clear()

    def _print(self, name: str, text: str) -> None:
        self._heard.write(f"{name:<{self._width}} | {text}\n")
