"""The part of Celery's beat that knows when what is due."""

from datetime import datetime
from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    """Celery's own, which a clock put back does not stop until it has caught up: the tick would be away as long.

    When each entry was last due is kept on disk, so that starting anew would not help either.
    """

    _looked: datetime | None = None

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """One look at what is due; how many seconds to the next."""
        before, now = self._looked, self.app.now()
        self._looked = now
        if before is None or now < before:
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at or now, now)
            self._heap = None  # it is made anew
        return super().tick(*args, **kwargs)
