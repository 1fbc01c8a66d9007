"""`/healthz` without a thread of the pages: what a look in the background found last, and how long ago."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from django.db import connections

from functions_app.services.engine import health

EVERY = 2.0  # seconds between two looks
OLD = 10.0  # seconds: a look that takes longer has no answer from the database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What was found, and when (on time.monotonic)."""

    database: str
    broker: str
    at: float


class HealthProbe:
    """Looks at database and Redis again and again, in a thread of its own."""

    def __init__(self) -> None:
        self.last: Look | None = None
        self._began = monotonic()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._task = asyncio.create_task(self._work())

    def answer(self) -> tuple[int, str]:
        """HTTP status and text: 503 when the database is away; Redis alone takes no pages down, so it is only told."""
        now = monotonic()
        age = now - (self.last.at if self.last else self._began)
        if self.last is None or age > OLD:
            return 503, f"database away (no answer for {age:.0f} s)\n"
        text = f"database {self.last.database}\nredis {self.last.broker}\nlooked {age:.0f} s ago\n"
        return (200 if self.last.database == "ok" else 503), text

    def close(self) -> None:
        """Look no more."""
        self._task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            try:
                self.last = await asyncio.get_running_loop().run_in_executor(self._pool, _look)
            except Exception:
                log.exception("the look at database and Redis broke, trying again")
            await asyncio.sleep(EVERY)


def _look() -> Look:
    try:
        return Look(health.database(), health.broker(), monotonic())
    finally:
        connections.close_all()  # nobody's connection is held between two looks
