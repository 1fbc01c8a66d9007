"""What all processes say, line by line, each with the name of who says it."""

import io
import sys

NAME = "drydock"
LONGEST = 64 * 1024  # bytes of a line that has not ended; then it is printed all the same


class Output:
    """Standard output, for as long as anybody reads it."""

    def __init__(self, width: int) -> None:
        self._width = max(width, len(NAME))
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
        try:
            print(f"{name:<{self._width}} | {text}", flush=True)
        except OSError:
            # The terminal is closed, or the reader of a pipe gone: there is nobody to tell it to. What is served goes
            # on, or ends by the signal that comes with it.
            sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
