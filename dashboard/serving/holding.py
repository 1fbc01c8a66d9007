"""One Drydock per data directory: whoever serves from it holds its lock, and whoever comes second is told."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "drydock.lock"


class HeldError(RuntimeError):
    """Another Drydock serves from this directory; the text says which."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the directory for as long as the block runs; the system lets go of it however the process ends.

    Raises HeldError where another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)  # children don't inherit it
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise HeldError(f"Another Drydock (process {process or 'unknown'}) works in {folder}.") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def refuse_held(folder: Path) -> None:
    """Raises HeldError where another process holds the directory now."""
    if (folder / LOCK).exists():
        with held(folder):
            pass
