"""Ends of life: the days from which a runtime or its operating system gets no more security patches."""

from dataclasses import dataclass
from datetime import date, datetime

OS_NAMES = {"al2": "Amazon Linux 2", "al2023": "Amazon Linux 2023"}


@dataclass(frozen=True)
class Ends:
    """The dates of a stream, None where none is known; `os_name` is the key in base-streams.json, such as "al2"."""

    runtime: date | None = None
    updates_blocked: date | None = None
    os: date | None = None
    os_name: str = ""

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
    """The known ends of a stream's runtime and OS, the earliest first."""
    found = [
        End("runtime", ends.runtime, stream) if ends.runtime else None,
        End("os", ends.os, ends.os_title) if ends.os else None,
    ]
    return tuple(sorted((end for end in found if end), key=lambda end: end.day))


def days_left(day: date, now: datetime) -> int:
    """Days until an end (UTC); 0 on the day itself, from which no patches come, and negative after it."""
    return (day - now.date()).days
