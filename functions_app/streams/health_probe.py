"""`/healthz` without a thread of the pages: what a look in the background found last, and how long ago.

503 says that no page can be served. Workers and beat that are dead take no page down, and a server that would not pass
for healthy without them could not be waited for by them: they are told, and `/healthz?strict` answers 503 for them too.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from django.db import connections

from functions_app.domain.health.pulses import Pulses, lines, troubles
from functions_app.services.engine import clocks, health, pulses

EVERY = 2.0  # seconds between two looks
OLD = 10.0  # seconds: a look that takes longer has no answer from the database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What was found, and when (on time.monotonic)."""

    database: str
    broker: str
    clocks: clocks.Clocks
    pulses: Pulses
    at: float


class HealthProbe:
    """Looks at database, Redis, clocks, workers and beat again and again, in a thread of its own."""

    def __init__(self) -> None:
        self.last: Look | None = None
        self._began = self._clock_due = monotonic()
        self._pulses = pulses.Watch()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._task = asyncio.create_task(self._work())

    def answer(self, *, strict: bool = False) -> tuple[int, str]:
        """HTTP status and text: 503 when the database is away; what takes no page down is told, unless `strict`."""
        now = monotonic()
        age = now - (self.last.at if self.last else self._began)
        if self.last is None or age > OLD:
            return 503, f"database away (no answer for {age:.0f} s)\n"
        text = f"database {self.last.database}\nredis {self.last.broker}\nlooked {age:.0f} s ago\n"
        # No host: anybody may ask. The log and the pages name it.
        text += "".join(f"clock of {one.what}: {one.words}\n" for one in self.last.clocks.off)
        text += "".join(f"{line}\n" for line in lines(self.last.pulses))
        whole = self.last.broker == "ok" and not troubles(self.last.pulses)
        return (200 if self.last.database == "ok" and (whole or not strict) else 503), text

    def close(self) -> None:
        """Look no more."""
        self._task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            try:
                self.last = await asyncio.get_running_loop().run_in_executor(self._pool, self._look)
            except Exception:
                log.exception("the look at database and Redis broke, trying again")
            await asyncio.sleep(EVERY)

    def _look(self) -> Look:
        try:
            database, broker = health.database(), health.broker()
            known = clocks.remember(self._clocks() if broker == "ok" else clocks.Clocks())
            alive = self._pulses.look()
            pulses.remember(troubles(alive))
            return Look(database, broker, known, alive, monotonic())
        finally:
            connections.close_all()  # nobody's connection is held between two looks

    def _clocks(self) -> clocks.Clocks:
        """Every process's clock, this one's measured anew once a minute."""
        if monotonic() >= self._clock_due:
            self._clock_due = monotonic() + clocks.measure_safely("web")
        return clocks.read()
