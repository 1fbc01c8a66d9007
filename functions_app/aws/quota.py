"""AWS's request quotas, kept before AWS has to: a bucket per account, region and API family, shared by all workers."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.conf import settings

from functions_app import rates
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
    granted, wait = rates.reserve(key, 1 / rate, rate * BURST_SECONDS / rate, longest)
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
