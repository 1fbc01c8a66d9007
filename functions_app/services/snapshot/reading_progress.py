"""How much of what was found is read, over all accounts and regions that are read at a time."""

import threading
from collections import Counter

FUNCTIONS, IMAGES = "functions", "images"
TURNS = {FUNCTIONS: 2}  # a function is read once its details and its aliases are


class ReadingProgress:
    """Counts from many threads; whoever tells it reads it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Counter[str] = Counter()
        self._read: Counter[str] = Counter()

    def found(self, unit: str, count: int) -> None:
        """So many more are there."""
        with self._lock:
            self._found[unit] += count * TURNS.get(unit, 1)

    def read(self, unit: str, count: int = 1) -> None:
        """So many more had their turn, whether it told anything or not."""
        with self._lock:
            self._read[unit] += count

    def state(self) -> tuple[int, int, str] | None:
        """How many of how many of what: functions first, then images; None before anything was found."""
        with self._lock:
            for unit in (FUNCTIONS, IMAGES):
                found, read, turns = self._found[unit], self._read[unit], TURNS.get(unit, 1)
                if read < found:
                    return read // turns, found // turns, unit
            last = IMAGES if self._found[IMAGES] else FUNCTIONS
            total = self._found[last] // TURNS.get(last, 1)
            return (total, total, last) if total else None
