"""How many requests a piece of work sends: what a push costs is counted where it is sent, not guessed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Count:
    """How many requests were sent, from however many threads."""

    def __init__(self) -> None:
        self.requests = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Count one."""
        with self._lock:
            self.requests += 1


_COUNT: ContextVar[Count | None] = ContextVar("registry_requests", default=None)


def one_more() -> None:
    """Count a request where somebody counts."""
    if count := _COUNT.get():
        count.add()


@contextmanager
def counted() -> Iterator[Count]:
    """Count the requests that the block sends, in its own context and in copies of it; redirects and tokens too."""
    count = Count()
    token = _COUNT.set(count)
    try:
        yield count
    finally:
        _COUNT.reset(token)
