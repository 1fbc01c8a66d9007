"""What time it is in the sandbox, and how long it lets AWS's waits last."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime


@dataclass
class Clock:
    """Waits in seconds, and the day; settable at POST /_sandbox/clock, so tests run fast and demos look alive."""

    create: float = 1.0
    """From CreateFunction's Pending to Active."""
    update: float = 1.0
    """From an update's InProgress to Successful."""
    wake: float = 2.0
    """From the first invoke of an Inactive function to Active."""
    provisioned: float = 1.0
    """From provisioned concurrency's IN_PROGRESS to READY."""
    restore: float = 3.0
    """From an archived image's ACTIVATING to ACTIVE."""
    build: float = 1.0
    """A build's provisioning, before its commands run."""
    tail: float = 1.0
    """Between two updates of a live tail."""
    tail_session: float = 10_800.0
    """How long a live tail lasts before it times out."""
    ahead: float = 0.0
    """How far the time here lies ahead of this machine's; the Date header tells it, as AWS's does."""

    def set(self, waits: Mapping[str, float]) -> None:
        """Change the named waits and leave the others. Raises ValueError for an unknown name or a negative wait."""
        known = {field.name for field in fields(self)}
        for name, seconds in waits.items():
            if name not in known:
                raise ValueError(f"unknown wait {name!r}: the waits are {', '.join(sorted(known))}")
            if not math.isfinite(float(seconds)):
                raise ValueError(f"{name!r} must be a number of seconds")
            if float(seconds) < 0 and name != "ahead":
                raise ValueError(f"the wait {name!r} must not be negative")
        for name, seconds in waits.items():
            setattr(self, name, float(seconds))

    def waits(self) -> dict[str, float]:
        """The waits by name, in seconds."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


CLOCK = Clock()


def seconds() -> float:
    """The time in the sandbox, in seconds since 1970."""
    return time.time() + CLOCK.ahead


def now() -> datetime:
    """The time in the sandbox, in UTC."""
    return datetime.fromtimestamp(seconds(), UTC)
