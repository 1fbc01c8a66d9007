"""Whether a run that is under way, or due, has no worker at it: its status alone would say "running" for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions_app.domain.runs import ASLEEP, LEASE, Status

UNATTENDED = timedelta(seconds=45)  # another worker takes over within 16 s of the last sign of the one before
UNTAKEN = timedelta(minutes=2)


@dataclass(frozen=True)
class Stranded:
    """What is the matter, in words that end before the time, and since when."""

    words: str
    since: datetime


def stranded(status: str, lease_until: datetime | None, wake_at: datetime | None, now: datetime) -> Stranded | None:
    """None where a worker is at it, or where it is nobody's turn: ended, waiting for its time or for a person."""
    if status in (Status.RUNNING, Status.UNDOING) and lease_until:
        heard = lease_until - LEASE
        if now - heard > UNATTENDED:
            return Stranded("No worker is at it: its last one was heard of", heard)
    if status in ASLEEP and wake_at and now - wake_at > UNTAKEN:
        return Stranded("No worker has taken it: it was due", wake_at)
    return None
