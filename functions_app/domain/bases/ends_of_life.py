"""Ends of life: the days from which a base gets no more security patches.

For Lambda's own bases the operating system's day decides nothing: AWS goes on patching them until the runtime's own
date (Lambda developer guide, runtime deprecation policy; aws-lambda-roadmap issue 86: Java 8, 11 and 17, Python 3.10
and 3.11 on Amazon Linux 2). Any other base ends with its operating system.
"""

from dataclasses import dataclass
from datetime import date, datetime

OS_NAMES = {"al1": "Amazon Linux", "al2": "Amazon Linux 2", "al2023": "Amazon Linux 2023"}


@dataclass(frozen=True)
class Ends:
    """The dates of a stream, None where none is known; `os_name` is the key in base-streams.json, such as "al2"."""

    runtime: date | None = None
    updates_blocked: date | None = None
    os: date | None = None
    os_name: str = ""
    lambdas_own: bool = False  # one of Lambda's own bases

    @property
    def os_title(self) -> str:
        """The operating system as people write it."""
        return OS_NAMES.get(self.os_name, self.os_name) or "its operating system"


@dataclass(frozen=True)
class End:
    """One end: `what` is "runtime" or "os", `title` how people call it."""

    what: str
    day: date
    title: str


def ends_of(stream: str, ends: Ends) -> tuple[End, ...]:
    """The known ends that decide about a stream, of its runtime and its OS, the earliest first."""
    found = [
        End("runtime", ends.runtime, stream) if ends.runtime else None,
        End("os", ends.os, ends.os_title) if ends.os and not ends.lambdas_own else None,
    ]
    return tuple(sorted((end for end in found if end), key=lambda end: end.day))


def days_left(day: date, now: datetime) -> int:
    """Days until an end (UTC); 0 on the day itself, from which no patches come, and negative after it."""
    return (day - now.date()).days
