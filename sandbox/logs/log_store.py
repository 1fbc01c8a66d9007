"""Log groups, streams and events of every account and region."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox import clock


def now_ms() -> int:
    """Epoch milliseconds."""
    return int(clock.seconds() * 1000)


@dataclass(frozen=True, order=True)
class LogEvent:
    """One event; times are epoch milliseconds, `number` orders events of the same moment."""

    timestamp: int
    number: int
    stream: str
    message: str
    ingested: int

    @property
    def key(self) -> tuple[int, int]:
        """Its place in the group."""
        return self.timestamp, self.number

    @property
    def event_id(self) -> str:
        """56 digits, as AWS's are: sortable, unique in its group."""
        return f"{self.timestamp:020d}{self.number:036d}"


@dataclass
class Stream:
    """A log stream; events in the order of their times."""

    name: str
    created: int = field(default_factory=now_ms)
    events: list[LogEvent] = field(default_factory=list)
    stored_bytes: int = 0


Listener = Callable[[Sequence[LogEvent]], None]
"""Told of events as they arrive; it must be quick."""


@dataclass
class Group:
    """A log group. Hold `lock` while reading or changing its events."""

    arn: str
    name: str
    created: int = field(default_factory=now_ms)
    retention_days: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    events: list[LogEvent] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    written: int = 0
    listeners: list[Listener] = field(default_factory=list)

    def put(self, stream: Stream, messages: Iterable[tuple[int, str]]) -> None:
        """Keep (timestamp, message) pairs."""
        ingested = now_ms()
        arrived: list[LogEvent] = []
        with self.lock:
            for timestamp, message in messages:
                self.written += 1
                event = LogEvent(timestamp, self.written, stream.name, message, ingested)
                _place(self.events, event)
                _place(stream.events, event)
                stream.stored_bytes += len(message.encode()) + 26
                arrived.append(event)
            for listener in self.listeners:
                listener(arrived)

    def listen(self, listener: Listener) -> None:
        """Tell of every event from now on."""
        with self.lock:
            self.listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Tell no more."""
        with self.lock:
            self.listeners.remove(listener)

    def window(self, after: tuple[int, int], until: int | None, most: int) -> tuple[list[LogEvent], bool]:
        """Up to `most` events after a place and before a time (ms, exclusive), and whether there are more."""
        with self.lock:
            start = bisect_left(self.events, (after[0], after[1] + 1), key=lambda event: event.key)
            end = len(self.events) if until is None else bisect_left(self.events, until, key=lambda e: e.timestamp)
            return self.events[start : min(start + most, end)], start + most < end


def _place(events: list[LogEvent], event: LogEvent) -> None:
    if not events or events[-1].key <= event.key:
        events.append(event)
    else:
        insort(events, event, key=lambda other: other.key)


_GROUPS: dict[tuple[str, str], dict[str, Group]] = {}
_LOCK = threading.Lock()


def groups(account: str, region: str) -> dict[str, Group]:
    """The log groups of an account in a region, by name."""
    with _LOCK:
        return _GROUPS.setdefault((account, region), {})


def create_group(account: str, region: str, name: str, **settings: Any) -> Group:
    """A new group, or the one that is there."""
    arn = f"arn:aws:logs:{region}:{account}:log-group:{name}"
    return groups(account, region).setdefault(name, Group(arn, name, **settings))


def write(account: str, region: str, group: str, stream: str, lines: Sequence[str]) -> None:
    """Append lines as of now; group and stream spring up, as Lambda makes its own."""
    target = create_group(account, region, group)
    with target.lock:
        found = target.streams.setdefault(stream, Stream(stream))
    timestamp = now_ms()
    target.put(found, [(timestamp, line) for line in lines])
