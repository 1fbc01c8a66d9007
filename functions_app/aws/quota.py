"""AWS's request quotas, kept before AWS has to: one bucket per account, region and API family, shared by all workers.

The bucket is a virtual schedule (GCRA): each caller reserves the next free moment and waits for it, so that callers
are served in turn and no call is spent on being refused.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TypeVar

import redis
from django.conf import settings

from functions_app.aws.error_table import EXPIRED
from functions_app.aws.errors import translate
from functions_app.aws.session import Target, forget
from functions_app.domain.errors import Code, DrydockError

T = TypeVar("T")

RATES: dict[str, float] = {
    "lambda-get-function": 100.0,
    "lambda-control": 15.0,  # all other control-plane calls together
    "ecr-batch-get-image": 2000.0,
    "ecr-token": 500.0,
    # Not published by AWS: what its own clients are known to live with.
    "ecr-read": 20.0,
    "ecr-scan-findings": 10.0,
    "ecr-lifecycle": 5.0,
    "logs-filter": 5.0,
    "sqs": 50.0,  # AWS has no limit worth the name for standard queues: this one is for our own sake
}
"""Calls per second per account and region (docs.aws.amazon.com: lambda gettingstarted-limits, ecr service-quotas)."""

BURST_SECONDS = 0.5  # AWS's buckets hold one second's worth; half of it leaves room for calls that bunch up on the way
LONGEST_WAIT = 300.0
PERSONS_WAIT = 5.0  # seconds, where a person waits for the answer
_patience: ContextVar[float] = ContextVar("patience", default=LONGEST_WAIT)
READ_ATTEMPTS = 5
REDIS_REST = 5.0  # seconds to leave a Redis alone that did not answer

_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local interval, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(0, due - now - burst)
if wait > longest then return {0, tostring(wait)} end
redis.call('SET', KEYS[1], string.format('%.6f', due + interval), 'PX', math.ceil((due - now + interval) * 1000) + 1000)
return {1, tostring(wait)}
"""


class _Schedule:
    """The same bucket in this process alone, for when Redis is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}

    def reserve(self, key: str, interval: float, burst: float, longest: float) -> tuple[bool, float]:
        """Whether a moment was reserved, and the wait for it in seconds."""
        with self._lock:
            now = time.monotonic()
            due = max(self._due.get(key, 0.0), now)
            wait = max(0.0, due - now - burst)
            if wait > longest:
                return False, wait
            self._due[key] = due + interval
            return True, wait


_OWN = _Schedule()
_redis_rests_until = 0.0


@lru_cache(maxsize=4)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0, max_connections=64)


def _reserve(key: str, interval: float, burst: float, longest: float) -> tuple[bool, float]:
    global _redis_rests_until
    if time.monotonic() >= _redis_rests_until:
        try:
            granted, wait = _redis(settings.ENV.redis_url).eval(_RESERVE, 1, key, interval, burst, longest)
            return bool(granted), float(wait)
        except redis.RedisError:
            _redis_rests_until = time.monotonic() + REDIS_REST
    return _OWN.reserve(key, interval, burst, longest)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Within it no call waits longer than this for its quota; background runs have the longest patience."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def acquire(target: Target, family: str, *, longest: float | None = None) -> float:
    """Wait for the next free call of the family (a key of RATES); gives the seconds waited.

    Raises DrydockError(THROTTLED) at once where the wait would be over `longest` seconds (None: as `patience` says).
    """
    longest = _patience.get() if longest is None else longest
    rate = RATES[family] * settings.ENV.quota_share
    key = f"drydock:quota:{target.account_id}:{target.region}:{family}"
    granted, wait = _reserve(key, 1 / rate, rate * BURST_SECONDS / rate, longest)
    if not granted:
        raise DrydockError(
            Code.THROTTLED,
            f"{target}: the calls already waiting for the {family} quota would take {wait:.0f} s.",
            next_step=_when(wait),
            retryable=True,
        )
    if wait:
        time.sleep(wait)
    return wait


def _when(wait: float) -> str:
    """What to do about a wait that is too long."""
    if _patience.get() < LONGEST_WAIT:
        return f"Try again in about {math.ceil(wait)} s: by then the runs that use this account have made their calls."
    return "Wait for the runs that use this account now, or raise DRYDOCK_QUOTA_SHARE."


def read(target: Target, family: str, call: Callable[[], T]) -> T:
    """Make a reading call within the quota; one that AWS throttles all the same is tried again, ever later.

    All its waits together are within `patience`. Credentials that have expired are read or assumed anew, once.

    Raises DrydockError.
    """
    renewed, left = False, _patience.get()
    for attempt in range(1, READ_ATTEMPTS + 1):
        left -= acquire(target, family, longest=left)
        try:
            with translate():
                return call()
        except DrydockError as error:
            if error.problem.aws_code in EXPIRED and not renewed:
                forget()
                renewed = True
                continue
            pause = min(8.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            if error.problem.code is not Code.THROTTLED or attempt == READ_ATTEMPTS or pause > left:
                raise
        time.sleep(pause)
        left -= pause
    raise AssertionError("unreachable: the last attempt returns or raises")


def change(target: Target, family: str, call: Callable[[], T]) -> T:
    """Make a changing call within the quota, once. Raises DrydockError; UNKNOWN_OUTCOME where no answer came."""
    acquire(target, family)
    with translate(change=True):
        return call()
