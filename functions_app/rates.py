"""Rates that all workers keep together, in Redis: quotas that are known, and the pace of whoever throttled us.

Both are virtual schedules (GCRA): each caller reserves the next free moment and waits for it, so that callers are
served in turn and no call is spent on being refused. With Redis away each process keeps them for itself.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.commands.core import Script

WAITS = "drydock:waits"  # a hash: the key of a quota -> all seconds that anybody waited for it
Line = tuple[str, float]  # a quota's key, and the seconds between two of its calls
REDIS_REST = 5.0  # seconds to leave a Redis alone that did not answer

# What is due further ahead than any of us would wait (quotas: 300 s, a registry's pause: an hour) was kept before
# Redis's clock was put back: it is due now, or nobody could call AWS until that clock has caught up.
_MOMENTS = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local function moment(kept, farthest)
  local due = math.max(tonumber(kept or '0'), now)
  return due - now > farthest and now or due
end
"""

_RESERVE = (
    _MOMENTS
    + """
local burst, longest, waits, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), KEYS[#KEYS], 0
for line = 1, #KEYS - 1 do
  local key, interval = KEYS[line], tonumber(ARGV[2 + line])
  local due = moment(redis.call('GET', key), 600 + interval)
  local wait = math.max(0, due - now - burst)
  if wait > longest then return {taken, taken > 0 and '0' or tostring(wait)} end
  redis.call('SET', key, string.format('%.6f', due + interval), 'PX', math.ceil((due - now + interval) * 1000) + 1000)
  taken = line
  if wait > 0 then
    redis.call('HINCRBYFLOAT', waits, key, string.format('%.3f', wait))
    return {taken, tostring(wait)}
  end
end
return {taken, '0'}
"""
)

_TURN = (
    _MOMENTS
    + """
local kept = redis.call('HMGET', KEYS[1], 'due', 'interval')
if not kept[1] then return {1, '0'} end
local longest, quicker, least = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due, interval = moment(kept[1], 4000), tonumber(kept[2])
if due - now > longest then return {0, tostring(due - now)} end
if interval < least then
  redis.call('DEL', KEYS[1])
else
  local next = string.format('%.6f', due + interval)
  redis.call('HSET', KEYS[1], 'due', next, 'interval', tostring(interval * quicker))
end
return {1, tostring(due - now)}
"""
)

_SLOW_DOWN = (
    _MOMENTS
    + """
local pause, first, most, kept_for = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'due', 'interval', 'slowed')
local due, interval, slowed = moment(kept[1], 4000), tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
slowed = math.min(slowed, now)
if interval == 0 then
  interval, slowed = first, now
elseif now - slowed >= interval then
  interval, slowed = math.min(most, interval * 2), now
end
due = math.max(due, now + pause)
local next = string.format('%.6f', due)
redis.call('HSET', KEYS[1], 'due', next, 'interval', tostring(interval), 'slowed', string.format('%.6f', slowed))
redis.call('PEXPIRE', KEYS[1], math.ceil((due - now + kept_for) * 1000))
return 1
"""
)

# A pace: one call a second after the first refusal, half as many after each further one, ever a little more after each
# that was taken, until there are so many that nobody need wait.
FIRST_INTERVAL, MOST_INTERVAL, LEAST_INTERVAL = 1.0, 4.0, 0.05
QUICKER = 0.97
KEPT_FOR = 600.0  # seconds after the last refusal


@dataclass
class _Paced:
    due: float
    interval: float
    slowed: float


class _Own:
    """The same in this process alone, for when Redis is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}
        self._paced: dict[str, _Paced] = {}

    def reserve(self, lines: Sequence[Line], burst: float, longest: float) -> tuple[int, float]:
        with self._lock:
            now, taken = time.monotonic(), 0
            for key, interval in lines:
                due = max(self._due.get(key, 0.0), now)
                wait = max(0.0, due - now - burst)
                if wait > longest:
                    return taken, 0.0 if taken else wait
                self._due[key] = due + interval
                taken += 1
                if wait:
                    return taken, wait
            return taken, 0.0

    def turn(self, key: str, longest: float) -> tuple[bool, float]:
        with self._lock:
            now = time.monotonic()
            paced = self._paced.get(key)
            if paced is None:
                return True, 0.0
            due = max(paced.due, now)
            if due - now > longest:
                return False, due - now
            if paced.interval < LEAST_INTERVAL or now - paced.slowed > KEPT_FOR:
                del self._paced[key]
            else:
                self._paced[key] = _Paced(due + paced.interval, paced.interval * QUICKER, paced.slowed)
            return True, due - now

    def slow_down(self, key: str, pause: float) -> None:
        with self._lock:
            now = time.monotonic()
            paced = self._paced.get(key) or _Paced(0.0, 0.0, now)
            if paced.interval == 0:
                paced.interval = FIRST_INTERVAL
            elif now - paced.slowed >= paced.interval:
                paced.interval, paced.slowed = min(MOST_INTERVAL, paced.interval * 2), now
            paced.due = max(paced.due, now + pause)
            self._paced[key] = paced


_OWN = _Own()
_redis_rests_until = 0.0


@lru_cache(maxsize=4)
def _redis(url: str) -> redis.Redis:
    # Without driver_info redis-py would look its own version up, and tell it to Redis, for each connection of a reader.
    return redis.Redis.from_url(
        url, socket_timeout=1.0, socket_connect_timeout=1.0, max_connections=64, driver_info=None
    )


@lru_cache(maxsize=8)
def _script(url: str, script: str) -> Script:
    return _redis(url).register_script(script)


def _asked(script: str, keys: Sequence[str], *arguments: float) -> list[Any] | None:
    """What a script answers; None where Redis is away, which then has its rest."""
    global _redis_rests_until
    if time.monotonic() < _redis_rests_until:
        return None
    try:
        answer = _script(settings.ENV.redis_url, script)(keys, arguments)
    except redis.RedisError:
        _redis_rests_until = time.monotonic() + REDIS_REST
        return None
    return answer if isinstance(answer, list) else []


def reserve(lines: Sequence[Line], burst: float, longest: float) -> tuple[int, float]:
    """Reserve a moment of a quota in each of these lines, up to the first that makes one wait; one trip to Redis.

    In how many it was reserved, and the wait in seconds for the last of them. In none where already the first wait
    would be over `longest`: then that wait.
    """
    answer = _asked(_RESERVE, [*(key for key, _ in lines), WAITS], burst, longest, *(interval for _, interval in lines))
    return _OWN.reserve(lines, burst, longest) if answer is None else (int(answer[0]), float(answer[1]))


def has_room(line: Line, burst: float) -> bool:
    """Whether nobody would have to wait in this line now; takes nothing of it."""
    key, _ = line
    return bool(reserve([(key, 0.0)], burst, 0.0)[0])


def waits() -> dict[str, float]:
    """All seconds that were waited for each quota since Redis was emptied; none are known while it is away."""
    try:
        told: Mapping[Any, Any] = _redis(settings.ENV.redis_url).hgetall(WAITS)
    except redis.RedisError:
        return {}
    return {name.decode("utf-8", "replace"): float(seconds) for name, seconds in told.items()}


def due_in(keys: Sequence[str]) -> list[float]:
    """In how many seconds the next free moment of each quota is; 0 where nobody uses it, or Redis is away."""
    try:
        with _redis(settings.ENV.redis_url).pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.mget(keys)
            (seconds, microseconds), dues = pipe.execute()
    except redis.RedisError:
        return [0.0] * len(keys)
    return [max(0.0, float(due or 0) - seconds - microseconds / 1_000_000) for due in dues]


def turn(key: str, longest: float) -> tuple[bool, float]:
    """Whether a turn was had, and the wait for it in seconds: none for whom nobody has slowed down."""
    answer = _asked(_TURN, [key], longest, QUICKER, LEAST_INTERVAL)
    return _OWN.turn(key, longest) if answer is None else (bool(answer[0]), float(answer[1]))


def slow_down(key: str, pause: float) -> None:
    """After a refusal: nobody's turn for `pause` seconds, then one after another, further apart than before.

    Refusals of calls that were under way together count once.
    """
    if _asked(_SLOW_DOWN, [key], pause, FIRST_INTERVAL, MOST_INTERVAL, KEPT_FOR) is None:
        _OWN.slow_down(key, pause)
