"""How far each process's clock is from Redis's: leases, due times and messages compare the clocks of several hosts.

Each process measures its own and tells the others through Redis: to a worker whose clock is ahead all messages seem
expired, so that nothing else would be heard of it.
"""

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import redis
from django.conf import settings

from functions_app import clock
from functions_app.domain.text import visible
from functions_app.services.engine import health
from functions_app.services.engine.messages import MESSAGE_LIFE

EVERY = 60.0  # seconds between two measures of a process
AGAIN = 10.0  # seconds after one that failed
OFF = 2.0  # seconds: less does no harm
QUICK = 0.25  # seconds there and back: half of it is the most by which a measure may be wrong
TRIES = 3  # of which the quickest counts
OLD = 180  # seconds, by Redis's clock: a process that was not heard of so long is gone
NAMES = "drydock:clocks"  # a hash: "worker changes@host:pid" -> "milliseconds measured-at"
NAME_LENGTH = 100  # characters of a host's or a process's name

_FIELD = re.compile(r"(?P<what>[^@]+)@(?P<host>.+):\d{1,10}", re.ASCII | re.DOTALL)
_VALUE = re.compile(r"(?P<ms>-?\d{1,15}) (?P<at>\d{1,15})", re.ASCII)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skew:
    """By how many seconds the clock of one process is ahead of Redis's; below zero it is behind."""

    what: str  # "worker changes", "beat", "web"
    host: str
    seconds: float

    @property
    def off(self) -> bool:
        """Whether it is far enough to tell people."""
        return abs(self.seconds) > OFF

    @property
    def words(self) -> str:
        """As in "3.1 s ahead"."""
        return f"{_span(abs(self.seconds))} {'ahead' if self.seconds > 0 else 'behind'}"

    @property
    def compared(self) -> str:
        """As in "3.1 s ahead of Redis's"."""
        return f"{self.words} of Redis's" if self.seconds > 0 else f"{self.words} Redis's"


@dataclass(frozen=True)
class Clocks:
    """What is known of the clocks of all processes."""

    skews: tuple[Skew, ...] = ()

    @property
    def off(self) -> list[Skew]:
        """Those that people should know of, the worst first."""
        return sorted((one for one in self.skews if one.off), key=lambda one: (-abs(one.seconds), one.host, one.what))

    @property
    def hosts(self) -> list[Skew]:
        """The same by host, whose clock it is, each with all of its processes that are off."""
        worst: dict[str, Skew] = {}
        whats: dict[str, set[str]] = {}
        for one in self.off:
            worst.setdefault(one.host, one)
            whats.setdefault(one.host, set()).add(one.what)
        return [Skew(", ".join(sorted(whats[host])), host, one.seconds) for host, one in worst.items()]

    @property
    def messages_expire(self) -> bool:
        """Whether some are so far apart, or from Redis, that what one sends is too old for the other."""
        seconds = [0.0, *(one.seconds for one in self.skews)]
        return max(seconds) - min(seconds) >= MESSAGE_LIFE.total_seconds()

    @property
    def agree(self) -> bool:
        """Whether the processes differ from Redis alone and not from each other, so that nothing of ours goes wrong."""
        seconds = [one.seconds for one in self.skews]
        return len(seconds) > 1 and max(seconds) - min(seconds) <= OFF


def measure(what: str, now: Callable[[], datetime] = clock.now) -> Skew | None:
    """Measure this process's clock and tell it to the others, and the log if it is off; None while Redis is away."""
    try:
        client = health.quick_client()
        trip, ahead, at = min(_compare(client, now) for _ in range(TRIES))
        if trip > QUICK:
            return None
        skew = Skew(visible(what, NAME_LENGTH), visible(socket.gethostname(), NAME_LENGTH), ahead)
        _tell(client, skew, at)
    except (redis.RedisError, OSError):
        return None
    if skew.off:
        log.warning(
            "This process's clock is %s: runs may start late%s. Set the host's time (NTP).",
            skew.compared,
            ", and messages expire unread" if Clocks((skew,)).messages_expire else "",
        )
    return skew


def ahead() -> float | None:
    """By how many seconds this process's clock is ahead of Redis's, told to nobody; None while it is away or slow."""
    try:
        trip, seconds, _ = min(_compare(health.quick_client(), clock.now) for _ in range(TRIES))
    except (redis.RedisError, OSError):
        return None
    return seconds if trip <= QUICK else None


def _compare(client: redis.Redis, now: Callable[[], datetime]) -> tuple[float, float, float]:
    """How long Redis took to tell its time, how far this process's clock is ahead of it, and that time."""
    began = time.monotonic()
    ours = now() - settings.ENV.clock_ahead  # all processes of a demo show the same other day: that is no skew
    seconds, microseconds = client.time()
    trip = time.monotonic() - began
    theirs = seconds + microseconds / 1_000_000
    return trip, ours.timestamp() + trip / 2 - theirs, theirs


def _tell(client: redis.Redis, skew: Skew, at: float) -> None:
    """Store it where the others look, and clear away who is gone."""
    with client.pipeline(transaction=False) as pipe:
        pipe.hset(NAMES, f"{skew.what}@{skew.host}:{os.getpid()}", f"{skew.seconds * 1000:.0f} {at:.0f}")
        pipe.expire(NAMES, OLD)
        pipe.hgetall(NAMES)
        entries: dict[bytes, bytes] = pipe.execute()[-1]
    if gone := [field for field, value in entries.items() if _entry(field, value, at) is None]:
        client.hdel(NAMES, *gone)


def read() -> Clocks:
    """The clocks of all processes that were heard of lately; of none while Redis is away or wiped."""
    try:
        with health.quick_client().pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hgetall(NAMES)
            (seconds, _), entries = pipe.execute()
    except (redis.RedisError, OSError):
        return Clocks()
    found = (_entry(field, value, seconds) for field, value in entries.items())
    return Clocks(tuple(skew for skew in found if skew is not None))


def _entry(field: bytes, value: bytes, now: float) -> Skew | None:
    """What a process told; None if it is old, or nothing that a process of ours would tell."""
    name = _FIELD.fullmatch(field.decode("utf-8", "replace"))
    told = _VALUE.fullmatch(value.decode("utf-8", "replace"))
    if name is None or told is None or abs(now - int(told["at"])) > OLD:
        return None
    return Skew(visible(name["what"], NAME_LENGTH), visible(name["host"], NAME_LENGTH), int(told["ms"]) / 1000)


def keep_measuring(what: str, now: Callable[[], datetime] = clock.now) -> threading.Event:
    """Measure again and again from a thread, until the process ends or the event that it gives is set."""
    stop = threading.Event()

    def work() -> None:
        pause = 0.0
        while not stop.wait(pause):
            pause = measure_safely(what, now)

    threading.Thread(target=work, name="clock", daemon=True).start()
    return stop


def measure_safely(what: str, now: Callable[[], datetime] = clock.now) -> float:
    """Measure whatever happens, and say after how many seconds again."""
    try:
        return AGAIN if measure(what, now) is None else EVERY
    except Exception:
        log.exception("the clock could not be measured, trying again")
        return AGAIN


_last = Clocks()  # what the web server's look in the background found


def remember(found: Clocks) -> Clocks:
    """Keep for the pages of this process what was found, since none of them waits for Redis."""
    global _last
    _last = found
    return found


def remembered() -> Clocks:
    """What was found last."""
    return _last


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:,.0f} d"
