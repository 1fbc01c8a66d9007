"""What every reader owes for any input: facts or a refusal that can be shown, within so much work and memory."""

import inspect
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import storable

CPU_SECONDS = 20  # for one input, none of which is larger than a few megabytes: linear readers take milliseconds
MEMORY = 256 * 1024**2
FRAMES = 400  # that a reader may call one within the other: a page or a task has taken many of the 1,000 by then
REFUSALS = frozenset({Code.INVALID, Code.FAILED})
REFUSAL_LENGTH = 1000
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

T = TypeVar("T")


class TooMuchError(Exception):
    """An input costs more than any may."""


def told(read: Callable[[], T]) -> T | None:
    """What a reader makes of an input; None where it refuses it, which it may with the errors it documents alone."""
    try:
        with bounded():
            return read()
    except DrydockError as error:
        refusal = error
    assert refusal.problem.code in REFUSALS
    assert_shown(str(refusal), REFUSAL_LENGTH)
    return None


@contextmanager
def bounded() -> Iterator[None]:
    """So much of the processor, measured in its own time, and so much memory above what was taken before."""
    deepest = sys.getrecursionlimit()
    before = _peak(anew=True)
    former = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        sys.setrecursionlimit(_depth() + FRAMES)
        yield
    finally:
        sys.setrecursionlimit(deepest)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
        if (taken := _peak() - before) > MEMORY:  # for what is refused in the end, too
            raise TooMuchError(f"it takes {taken:,} bytes")


def assert_shown(text: str, length: int) -> None:
    """Fails unless a text is fit for a database and a page, and no longer than that."""
    assert text == storable(text)
    assert len(text) <= length


def _depth() -> int:
    frame, depth = inspect.currentframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    return depth


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooMuchError(f"it takes more than {CPU_SECONDS} s")


def _peak(*, anew: bool = False) -> int:
    """The most bytes that this process has held at once; anew: from now on. 0 where the system tells no such thing."""
    if not _CLEAR.exists():
        return 0
    if anew:
        _CLEAR.write_text("5")
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
