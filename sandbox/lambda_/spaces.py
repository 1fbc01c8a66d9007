"""Where functions are: those of one account in one region, in the order of their names."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort

from sandbox.lambda_.model import Function


class Space:
    """The functions of one account in one region, in the order of their names."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.functions: dict[str, Function] = {}
        self.numbers: dict[str, int] = {}
        self._names: list[str] = []

    def add(self, function: Function) -> None:
        """Keep a new function."""
        with self.lock:
            self.functions[function.name] = function
            insort(self._names, function.name)

    def remove(self, name: str) -> None:
        """Forget a function; its version numbers stay used."""
        with self.lock:
            del self.functions[name]
            self._names.remove(name)

    def functions_from(self, name: str, most: int) -> list[Function]:
        """Up to so many functions from this name on: a page of a large fleet must not copy all of it."""
        with self.lock:
            start = bisect_left(self._names, name)
            return [self.functions[found] for found in self._names[start : start + most]]

    def next_number(self, name: str) -> str:
        """The next version number of a name: never used before, not even by a function that was deleted."""
        with self.lock:
            self.numbers[name] = self.numbers.get(name, 0) + 1
            return str(self.numbers[name])


_SPACES: dict[tuple[str, str], Space] = {}
_SPACES_LOCK = threading.Lock()


def space(account: str, region: str) -> Space:
    """The functions of an account in a region."""
    with _SPACES_LOCK:
        return _SPACES.setdefault((account, region), Space())


def spaces() -> dict[tuple[str, str], Space]:
    """All of them, by account and region."""
    with _SPACES_LOCK:
        return dict(_SPACES)
