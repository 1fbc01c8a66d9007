"""Signs of life: each worker tells through Redis that it looks at its queues, took a message, carried out a tick.

A worker tells with Celery's heartbeat, from the very loop that takes messages: one whose threads are all busy lives,
one whose loop hangs does not. Who looks again and again remembers, since Redis may be wiped at any moment.
"""

import re
from collections.abc import Iterable
from time import monotonic

import redis

from functions_app.domain.health.pulses import Pulses, Trouble
from functions_app.domain.runs import Queue
from functions_app.services.engine import health

NAMES = "drydock:pulses"  # a hash: "looked:changes", "took:changes", "ticked" -> when, by Redis's clock
TICKED = "ticked"
AHEAD = 1.0  # seconds: what is told to come later was told before Redis's clock was put back, and says nothing
_TELL = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for at = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], string.format('%.1f', now - tonumber(ARGV[at + 1])))
end
"""
_AT = re.compile(rb"\d{1,12}\.\d")
_happened: dict[str, float] = {}  # what this process did since it told last (time.monotonic)


def note_message(queue: str) -> None:
    """A message of this queue was taken: told with the next sign of life."""
    _happened[f"took:{queue}"] = monotonic()


def note_tick() -> None:
    """A tick was carried out."""
    _happened[TICKED] = monotonic()


def tell(queues: Iterable[str]) -> None:
    """Give a sign of life for the queues that this process looks at. While Redis is away there is nobody to tell."""
    now = monotonic()
    happened = dict(_happened)
    ages = {f"looked:{queue}": 0.0 for queue in queues} | {name: now - at for name, at in happened.items()}
    try:
        health.quick_client().eval(_TELL, 1, NAMES, *(word for pair in ages.items() for word in pair))
    except (redis.RedisError, OSError):
        return
    for name, at in happened.items():
        if _happened.get(name) == at:
            del _happened[name]


def read() -> dict[str, float] | None:
    """Seconds since each sign of life, by its name; None while Redis is away."""
    try:
        with health.quick_client().pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hgetall(NAMES)
            (seconds, microseconds), told = pipe.execute()
    except (redis.RedisError, OSError):
        return None
    now = seconds + microseconds / 1_000_000
    ages = {name.decode("utf-8", "replace"): now - float(at) for name, at in told.items() if _AT.fullmatch(at)}
    return {name: max(0.0, age) for name, age in ages.items() if age > -AHEAD}


def known(ages: dict[str, float]) -> Pulses:
    """Signs of life by what they are of."""
    return Pulses(
        {queue: ages[f"looked:{queue}"] for queue in Queue if f"looked:{queue}" in ages},
        {queue: ages[f"took:{queue}"] for queue in Queue if f"took:{queue}" in ages},
        ages.get(TICKED),
    )


class Watch:
    """What one who looks again and again knows: a silence counts from its own start, and from Redis's return."""

    def __init__(self) -> None:
        self._counts_from = monotonic()
        self._heard: dict[str, float] = {}
        self._away_since: float | None = None

    def look(self) -> Pulses:
        """How things stand now."""
        ages, now = read(), monotonic()
        if ages is None:
            self._away_since = self._away_since or now
            return Pulses(redis_away=now - self._away_since)
        if self._away_since is not None:
            self._away_since, self._counts_from = None, now
        for name, age in ages.items():
            self._heard[name] = max(self._heard.get(name, 0.0), now - age)
        every = {f"looked:{queue}" for queue in Queue} | {TICKED} | self._heard.keys()
        return known({name: now - max(self._counts_from, self._heard.get(name, 0.0)) for name in every})


_last: tuple[Trouble, ...] = ()  # what the web server's look in the background found


def remember(found: tuple[Trouble, ...]) -> None:
    """Keep for the pages of this process what was found, since none of them waits for Redis."""
    global _last
    _last = found


def remembered() -> tuple[Trouble, ...]:
    """What was found last."""
    return _last
