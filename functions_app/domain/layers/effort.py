"""How much work one file of metadata may cost: steps are counted, not seconds, so that it always comes out the same."""

from collections.abc import Callable

from functions_app.domain.json_fields import malformed

STEPS = 3_000_000  # pages, records, tags, paragraphs: a few seconds of the slowest reader
LOOK_EVERY = 10_000  # steps, some 10 ms


class Effort:
    """Counts the steps of reading one file, and looks now and then whether it is still wanted (`watch` raises)."""

    def __init__(self, watch: Callable[[], None] | None = None, most: int = STEPS) -> None:
        self.taken = 0
        self._watch, self._most, self._looked = watch, most, 0

    def step(self, count: int = 1) -> None:
        """Count what is to be done next. Raises DrydockError(INVALID) when it is too much, and what `watch` raises."""
        self.taken += count
        if self.taken > self._most:
            raise malformed("file", f"that takes more than {self._most:,} steps")
        if self._watch and self.taken - self._looked >= LOOK_EVERY:
            self._looked = self.taken
            self._watch()
