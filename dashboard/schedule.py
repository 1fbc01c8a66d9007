"""What beat starts, and how often. Messages expire: without workers only a minute's worth piles up."""

from typing import Any

from celery.schedules import crontab

from dashboard.env import Environment
from functions_app.domain.runs import Queue

# An expiry is a moment by beat's clock that the worker reads by its own: a shorter one would silently end everything
# where a worker's clock is a few seconds ahead.
LEAST_LIFE = 60.0  # seconds
SECONDS_BETWEEN_LOOKS = 5.0  # at most: for due polls, and for what events asked for


def beat_schedule(env: Environment) -> dict[str, dict[str, Any]]:
    """Celery's CELERY_BEAT_SCHEDULE for an installation with these settings."""
    # In a demo that polls all the time also between its polls.
    looks = max(1.0, min(env.base_poll_every / 10, SECONDS_BETWEEN_LOOKS))
    schedule = {
        "tick": _entry("tick", 1.0, queue=Queue.TICK),
        "sync": _entry("start_sync", env.sync_every),
        "start_due": _entry("start_due", looks),
        "count_day": _entry("count_day", crontab(minute="0"), expires=1800.0),  # UTC: a day's first comes at midnight
        # Looked at often, due once a day: a day counts from the last forecast, however often the beat restarts.
        "forecast": _entry("start_forecast", 60.0),
        "tidy": _entry("tidy", 3600.0),
    }
    if env.event_queues:
        schedule["events"] = _entry("receive_events", looks)
    return schedule


def _entry(
    task: str, every: float | crontab, expires: float = LEAST_LIFE, queue: Queue = Queue.READING
) -> dict[str, Any]:
    life = max(every, expires) if isinstance(every, float) else expires
    return {
        "task": f"functions_app.tasks.{task}",
        "schedule": every,
        "options": {"queue": queue.value, "expires": life},
    }
