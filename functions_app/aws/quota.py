"""AWS's request quotas, kept before AWS has to: a bucket per account, region and API family, shared by all workers.

Readings in the background have a bucket before it, a little smaller, in which they wait for each other: so none of
them stands in line before a person.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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
    "lambda-get-policy": 15.0,
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

KEYS = "drydock:quota:"
BACKGROUND = 0.9  # of the quota: what readings may take of it, so that a plan or a deployment never waits for a sync
BURST_SECONDS = 0.5  # AWS's buckets hold one second's worth; half of it leaves room for calls that bunch up on the way
LONGEST_WAIT = 300.0
PERSONS_WAIT = 5.0  # seconds, all calls together, where a person waits for the answer
_urgent: ContextVar[bool] = ContextVar("urgent", default=False)
READ_ATTEMPTS = 5


@dataclass
class _Patience:
    """How many seconds are left for waiting, for one call or for all that share it."""

    left: float = LONGEST_WAIT


_shared_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Within it a person waits: all its calls together wait no longer than this for quotas, and go before readings."""
    token = _shared_patience.set(_Patience(seconds))
    try:
        with urgent():
            yield
    finally:
        _shared_patience.reset(token)


@contextmanager
def urgent() -> Iterator[None]:
    """Within it calls go before those of readings in the background."""
    token = _urgent.set(True)
    try:
        yield
    finally:
        _urgent.reset(token)


def acquire(target: Target, family: str, *, longest: float | None = None) -> float:
    """Wait for the next free call of the family (a key of RATES); gives the seconds waited.

    Raises DrydockError(THROTTLED) at once where the wait would be over `longest` seconds (None: as `patience` says).
    """
    return _acquire(target, family, _Patience(longest) if longest is not None else _patience())


def _patience() -> _Patience:
    return _shared_patience.get() or _Patience()


def _acquire(target: Target, family: str, patience: _Patience) -> float:
    line, waited = _line(target, family), 0.0
    lines = [line] if _urgent.get() else [_behind(line), line]
    while lines:
        taken, wait = rates.reserve(lines, BURST_SECONDS, patience.left)
        if not taken:
            raise DrydockError(
                Code.THROTTLED,
                f"{target}: the calls already waiting for the {family} quota would take {wait:.0f} s.",
                next_step=_when(wait),
                retryable=True,
                again_in=wait,
            )
        if wait:
            time.sleep(wait)
        patience.left -= wait
        waited += wait
        lines = lines[taken:]
    return waited


@dataclass(frozen=True)
class QuotaWait:
    """All seconds that calls waited for a quota; readings wait for their share of it by its name and "background"."""

    account_id: str
    region: str
    family: str
    seconds: float


def waits() -> list[QuotaWait]:
    """What was waited for so far, by account, region and family."""
    found = []
    for key, seconds in rates.waits().items():
        account_id, _, rest = key.removeprefix(KEYS).partition(":")
        region, _, family = rest.partition(":")
        found.append(QuotaWait(account_id, region, family, seconds))
    return found


def waits_now(target: Target) -> dict[str, float]:
    """For how many seconds a call of each family would wait at this moment, beside those that wait already."""
    due = rates.due_in([_line(target, family)[0] for family in RATES])
    return {family: max(0.0, seconds - BURST_SECONDS) for family, seconds in zip(RATES, due, strict=True)}


def has_room(target: Target, family: str) -> bool:
    """Whether a reading would not have to wait for this quota now: it may go beside one that is more important."""
    return rates.has_room(_behind(_line(target, family)), BURST_SECONDS)


def _line(target: Target, family: str) -> rates.Line:
    rate = RATES[family] * settings.ENV.quota_share
    return f"{KEYS}{target.account_id}:{target.region}:{family}", 1 / rate


def _behind(line: rates.Line) -> rates.Line:
    """The line in which readings in the background wait for each other before they stand in this one."""
    key, interval = line
    return f"{key}:background", interval / BACKGROUND


def _when(wait: float) -> str:
    """What to do about a wait that is too long."""
    if _shared_patience.get():
        return f"Try again in about {math.ceil(wait)} s: by then the runs that use this account have made their calls."
    return "Wait for the runs that use this account now, or raise DRYDOCK_QUOTA_SHARE."


def read(target: Target, family: str, call: Callable[[], T]) -> T:
    """Make a reading call within the quota; one that AWS throttles all the same is tried again, ever later.

    All its waits together are within `patience`. Credentials that have expired are read or assumed anew, once.

    Raises DrydockError.
    """
    renewed, refused, patience = False, 0, _patience()
    while True:
        _acquire(target, family, patience)
        try:
            with translate():
                return call()
        except DrydockError as error:
            if error.problem.aws_code in EXPIRED and not renewed:
                forget()
                renewed = True
                continue
            refused += 1
            pause = min(8.0, 0.25 * 2**refused) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            if error.problem.code is not Code.THROTTLED or refused == READ_ATTEMPTS or pause > patience.left:
                raise
        time.sleep(pause)
        patience.left -= pause


def change(target: Target, family: str, call: Callable[[], T]) -> T:
    """Make a changing call within the quota, once. Raises DrydockError; UNKNOWN_OUTCOME where no answer came."""
    acquire(target, family)
    with translate(change=True):
        return call()
