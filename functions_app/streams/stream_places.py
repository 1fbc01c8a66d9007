"""How many streams may be open on this process: by one person, with one token, in all."""

import threading
from collections import Counter

from prometheus_client import Gauge

from functions_app.domain import limits
from functions_app.streams.sign_in import Pass

OPEN = Gauge("drydock_streams_open", "Live pages and streams of the API that this process serves.")


class NoPlace(Exception):
    """It is not opened; `own`: how many whoever asks has open, 0 where the others' are too many."""

    def __init__(self, own: int = 0) -> None:
        super().__init__(f"{own} streams are open")
        self.own = own


class StreamPlaces:
    """Counts open streams. The event loop asks it, and Django's threads do."""

    def __init__(self) -> None:
        self.taken: Counter[int | str] = Counter()  # by person, by token's hash
        self._counting = threading.Lock()

    def take(self, passed: Pass, most: int) -> None:
        """Count one more. Raises NoPlace."""
        owner = passed.token or passed.person
        with self._counting:
            if self.taken[owner] >= most:
                raise NoPlace(self.taken[owner])
            if self.taken.total() >= limits.STREAMS:
                raise NoPlace
            self.taken[owner] += 1
        OPEN.inc()

    def give_back(self, passed: Pass) -> None:
        """Count one less."""
        owner = passed.token or passed.person
        with self._counting:
            self.taken[owner] -= 1
            if not self.taken[owner]:
                del self.taken[owner]
        OPEN.dec()
