"""What stands between a call and its answer: counting, denials by IAM and AWS's quotas, all set by tests.

moto answers as fast as it can to everyone; AWS has rates per account and region, and policies that deny.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass


class Calls:
    """Counts calls as "service.Operation", over all accounts and for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, account: str, service: str, operation: str) -> None:
        """Count one call."""
        with self._lock:
            self._counts[account, f"{service}.{operation}"] += 1

    def counts(self, account: str | None = None) -> dict[str, int]:
        """Calls by "service.Operation", of one account or of all."""
        total: Counter[str] = Counter()
        with self._lock:
            for (owner, name), count in self._counts.items():
                if account in (None, owner):
                    total[name] += count
        return dict(sorted(total.items()))

    def reset(self) -> None:
        """Start again at nothing."""
        with self._lock:
            self._counts.clear()


class Denials:
    """API actions that an account's identity may not perform: "ecr:DescribeRepositories", "lambda:*"."""

    def __init__(self) -> None:
        self._actions: dict[str, frozenset[str]] = {}

    def deny(self, account: str, actions: Iterable[str]) -> None:
        """Deny these actions too."""
        lowered = {action.lower() for action in actions}
        self._actions[account] = self._actions.get(account, frozenset()) | lowered

    def lift(self, account: str | None = None) -> None:
        """Allow all again, for one account or for all."""
        if account is None:
            self._actions.clear()
        else:
            self._actions.pop(account, None)

    def denies(self, account: str, service: str, operation: str) -> bool:
        """Whether the account may not call this."""
        denied = self._actions.get(account)
        if not denied:
            return False
        prefix = service.lower()
        return bool(denied & {f"{prefix}:{operation.lower()}", f"{prefix}:*", "*"})

    def listing(self) -> dict[str, list[str]]:
        """Denied actions by account."""
        return {account: sorted(actions) for account, actions in self._actions.items()}


@dataclass
class Bucket:
    """A token bucket: `rate` per second, with a burst of `most`, or else of one second."""

    rate: float
    tokens: float
    at: float
    most: float | None = None

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        self.tokens = min(self.most or self.rate, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


_INVOCATIONS = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_SHARED_RATE = 15.0
_RATES = {
    "lambda": {"GetFunction": 100.0, "GetPolicy": 15.0},
    "ecr": {
        "BatchGetImage": 2000.0,
        "GetDownloadUrlForLayer": 3000.0,
        "BatchCheckLayerAvailability": 1000.0,
        "UploadLayerPart": 500.0,
        "InitiateLayerUpload": 100.0,
        "CompleteLayerUpload": 100.0,
        "PutImage": 10.0,
    },
    "logs": {"FilterLogEvents": 5.0, "GetLogEvents": 25.0},
}


def _family(service: str, operation: str) -> tuple[str, float] | None:
    """The name and rate of the bucket that a call is taken from; None where AWS names no rate."""
    if rate := _RATES.get(service, {}).get(operation):
        return operation, rate
    return ("", _SHARED_RATE) if service == "lambda" and operation not in _INVOCATIONS else None


class Quotas:
    """AWS's rates per account and region, off until a test or benchmark turns them on.

    Lambda: GetFunction 100/s, GetPolicy 15/s, all other control-plane calls together 15/s
    (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests).
    Logs: FilterLogEvents 5/s (10/s in some regions), GetLogEvents 25/s
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html).
    ECR, by API and by /v2 together: PutImage 10/s and so on
    (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html).
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self.enforced = False
        self.throttled: Counter[str] = Counter()

    def enforce(self, on: bool) -> None:
        """Turn enforcement on or off, with full buckets and no throttles counted."""
        with self._lock:
            self._buckets.clear()
            self.throttled.clear()
        self.enforced = on

    def admits(self, account: str, region: str, service: str, operation: str) -> bool:
        """Whether the call is within the quota; takes its token."""
        family = _family(service, operation) if self.enforced else None
        if family is None:
            return True
        rate = family[1]
        with self._lock:
            now = self._now()
            bucket = self._buckets.setdefault((account, region, service, family[0]), Bucket(rate, rate, now))
            admitted = bucket.take(now)
            if not admitted:
                self.throttled[f"{service}.{operation}"] += 1
        return admitted


CALLS = Calls()
DENIALS = Denials()
QUOTAS = Quotas()
