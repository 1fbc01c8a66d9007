"""Faults that tests set at /_sandbox/faults: errors, slow answers, dropped connections and cut answers.

One body of POST /_sandbox/faults (all but `match` may be left out, but it must do something):

    {"match": "lambda.Update*",     service and operation as GET /_sandbox/calls shows them, with * ? [..]
     "account": "111111111111",     only calls of this account
     "rate": 0.5, "seed": 7,        what share of the calls it strikes; a seed makes the choice the same every time
     "count": 2,                    how often it strikes, then it clears itself
     "latency": 1.5,                seconds before anything else happens
     "drop": "before" | "after",    close the connection without an answer, before or after the call was carried out
     "code": "ThrottlingException", "status": 400, "message": "...",    answer this error, the call is not carried out
     "truncate": 100}               carry it out, and close the connection after so many bytes of the answer's body

The first fault that strikes a call, in the order they were set, is the only one. A layer's download by its signed
address, `registry.DownloadLayer`, is of no account. GET lists, DELETE clears (all, or those of ?match= and ?account=).
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Response

from sandbox.core.http_server import DroppedConnection

_STATUS = {
    "TooManyRequestsException": 429,
    "TOOMANYREQUESTS": 429,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "ServerException": 500,
    "ServiceException": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
}
"""HTTP status of codes that are not 400 in AWS's APIs."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, where and how often; see the module."""

    match: str
    account: str | None = None
    rate: float = 1.0
    seed: int | None = None
    count: int | None = None
    latency: float = 0.0
    drop: str | None = None
    code: str | None = None
    status: int | None = None
    message: str | None = None
    truncate: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be meant."""
        if not 0 <= self.rate <= 1:
            raise ValueError("rate must be from 0 to 1")
        if self.latency < 0 or (self.truncate or 0) < 0:
            raise ValueError("latency and truncate must not be negative")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be 1 or more; leave it out for a fault that stays")
        if self.drop not in (None, "before", "after"):
            raise ValueError('drop must be "before" or "after"')
        if not (self.latency or self.drop or self.is_error or self.truncate is not None):
            raise ValueError("a fault needs one of: code, status, latency, drop, truncate")

    @property
    def is_error(self) -> bool:
        """Whether it answers an error in the call's stead."""
        return self.code is not None or self.status is not None

    def error(self) -> tuple[int, str, str]:
        """HTTP status, code and message of the error, completed from what is given."""
        if self.code is None:
            code = {429: "TooManyRequestsException", 503: "ServiceUnavailableException"}.get(self.status or 0)
            code = code or ("InternalFailure" if (self.status or 0) >= 500 else "ThrottlingException")
        else:
            code = self.code
        throttles = "Throttl" in code or "TooManyRequests" in code or code == "TOOMANYREQUESTS"
        message = self.message or ("Rate exceeded" if throttles else f"{code} was set at /_sandbox/faults.")
        return self.status or _STATUS.get(code, 400), code, message


@dataclass
class _Active:
    fault: Fault
    id: int
    chance: random.Random
    struck: int = 0
    left: int | None = field(default=None)

    def document(self) -> dict[str, Any]:
        given = {name: value for name, value in asdict(self.fault).items() if value is not None}
        return {"id": self.id, **given, "struck": self.struck, **({} if self.left is None else {"left": self.left})}


class Faults:
    """The faults that are set. Safe for use by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._active: list[_Active] = []

    def add(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Set one fault and give its listing. Raises ValueError, TypeError for a body that says nothing sensible."""
        known = {each.name for each in fields(Fault)}
        if unknown := body.keys() - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; a fault has {', '.join(sorted(known))}")
        fault = Fault(**body)
        with self._lock:
            active = _Active(fault, next(self._numbers), random.Random(fault.seed), left=fault.count)
            self._active.append(active)
        return active.document()

    def listing(self) -> list[dict[str, Any]]:
        """The faults in the order they were set, each with how often it struck and how often it still will."""
        with self._lock:
            return [active.document() for active in self._active]

    def clear(self, match: str | None = None, account: str | None = None) -> None:
        """Take away all, or those with this match and account."""
        with self._lock:
            self._active = [
                active
                for active in self._active
                if match not in (None, active.fault.match) or account not in (None, active.fault.account)
            ]

    def strike(self, account: str, service: str, operation: str) -> Fault | None:
        """The fault that this call meets, if any; it counts as struck."""
        if not self._active:
            return None
        with self._lock:
            for active in self._active:
                fault = active.fault
                if fault.account not in (None, account) or not fnmatchcase(f"{service}.{operation}", fault.match):
                    continue
                if active.chance.random() >= fault.rate:
                    continue
                active.struck += 1
                if active.left is not None:
                    active.left -= 1
                    if active.left == 0:
                        self._active.remove(active)
                return fault
        return None


FAULTS = Faults()

Refuse = Callable[[int, str, str], Response]
"""Makes an error answer of the call's protocol from HTTP status, code and message."""


def under_faults(
    account: str, service: str, operation: str, carry_out: Callable[[], Response], refuse: Refuse
) -> Response:
    """Carry a call out, unless a fault strikes it. Raises DroppedConnection, also out of the answer's body."""
    fault = FAULTS.strike(account, service, operation)
    if fault is None:
        return carry_out()
    time.sleep(fault.latency)
    if fault.drop == "before":
        raise DroppedConnection(fault.match)
    if fault.is_error:
        return refuse(*fault.error())
    answer = carry_out()
    if fault.drop == "after":
        answer.close()
        raise DroppedConnection(fault.match)
    if fault.truncate is not None:
        if answer.mimetype == "application/vnd.amazon.eventstream":
            # AWS sends event streams in chunks: the client sees that the last one is missing.
            answer.headers.pop("Content-Length", None)
        answer.response = _cut(answer.response, fault.truncate)
    return answer


def _cut(parts: Iterable[Any], size: int) -> Iterator[bytes]:
    left = size
    for part in parts:
        data = part.encode() if isinstance(part, str) else bytes(part)
        if len(data) >= left:
            yield data[:left]
            raise DroppedConnection("truncated")
        left -= len(data)
        yield data
    raise DroppedConnection("truncated")
