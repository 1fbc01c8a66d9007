"""The AWS/Lambda metrics of every account: what the sandbox's invocations recorded, and a fleet's seeded past.

moto has no AWS/Lambda metrics; AWS records Invocations, Errors, Duration, Throttles and ConcurrentExecutions under
the dimensions of https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html. AWS shows them after a
minute or so; here they are there at once.

A fleet seeds a past that costs nothing until it is looked at:

    metrics.seed(account, region, name, Past(calls=12.0, errors=0.02, milliseconds=180.0, since=..., until=...))
"""

from __future__ import annotations

import random
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sandbox import clock

MINUTE = 60
METRICS = {
    "Invocations": "Count",
    "Errors": "Count",
    "Duration": "Milliseconds",
    "Throttles": "Count",
    "ConcurrentExecutions": "Count",
}
"""Names with their units."""
Dimensions = tuple[tuple[str, str], ...]
"""(name, value) pairs in the order of their names; none at all means the whole account in the region."""
_UNQUALIFIED = {("", "$LATEST"): 1.0}


def dimensions(pairs: Mapping[str, str]) -> Dimensions:
    """Dimensions as they are kept."""
    return tuple(sorted(pairs.items()))


@dataclass(frozen=True)
class Past:
    """A function's seeded past: calls a minute, the share of errors and of throttles (0..1), the usual duration.

    `resources` says which share of the calls went through which qualifier and, for an alias, to which version:
    {("live", "7"): 0.9, ("live", "8"): 0.1}; left out, all calls were unqualified. Times are epoch seconds; the
    numbers of a minute are the same each time that they are looked at, and the same for the same name.
    """

    calls: float
    since: float
    until: float
    errors: float = 0.0
    throttles: float = 0.0
    milliseconds: float = 100.0
    resources: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass
class Series:
    """The samples of one metric by minute (epoch seconds)."""

    minutes: dict[int, array[float]] = field(default_factory=dict)

    def add(self, at: float, value: float) -> None:
        """Keep one sample."""
        self.minutes.setdefault(int(at // MINUTE) * MINUTE, array("d")).append(value)


class Space:
    """The metrics of one account in one region. Hold `lock` while reading or changing them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.series: dict[tuple[str, Dimensions], Series] = {}
        self.pasts: dict[str, Past] = {}

    def add(self, metric: str, under: Dimensions, at: float, value: float) -> None:
        """Keep one sample."""
        self.series.setdefault((metric, under), Series()).add(at, value)

    def samples(self, metric: str, under: Dimensions, since: float, until: float) -> Iterator[tuple[int, array[float]]]:
        """(minute, samples) for the minutes that begin in a span of time, in their order."""
        series = self.series.get((metric, under), Series()).minutes
        minutes = {minute for minute in series if since <= minute < until}
        seeded = list(self._seeded(under))
        for past, _, _ in seeded:
            first = -int(-max(since, past.since) // MINUTE) * MINUTE
            minutes.update(range(first, int(min(until, past.until)), MINUTE))
        for minute in sorted(minutes):
            found = array("d", series.get(minute, ()))
            for past, name, share in seeded:
                if past.since <= minute < past.until:
                    found.extend(_seeded_minute(past, name, share, metric, minute))
            if found:
                yield minute, found

    def _seeded(self, under: Dimensions) -> Iterator[tuple[Past, str, float]]:
        named = dict(under).get("FunctionName")
        pasts = self.pasts if named is None else {named: self.pasts[named]} if named in self.pasts else {}
        for name, past in pasts.items():
            for (qualifier, version), share in (past.resources or _UNQUALIFIED).items():
                if under in _under(name, qualifier, version):
                    yield past, f"{name}:{qualifier}:{version}", share

    def listing(self) -> Iterator[tuple[str, Dimensions, float]]:
        """Every metric with its dimensions and the time of its last minute."""
        for (metric, under), series in self.series.items():
            yield metric, under, max(series.minutes)
        for name, past in self.pasts.items():
            for metric in METRICS if past.calls else ():
                resources = past.resources or _UNQUALIFIED
                everywhere = {under for qualifier, version in resources for under in _under(name, qualifier, version)}
                yield from ((metric, under, past.until) for under in everywhere)


def _under(name: str, qualifier: str, version: str) -> tuple[Dimensions, ...]:
    """All that one invocation is recorded under: the account, the function, the resource and, by alias, the version."""
    resource = {"FunctionName": name, "Resource": f"{name}:{qualifier}" if qualifier else name}
    by_alias = qualifier not in ("", version)
    more = [{**resource, "ExecutedVersion": version}] if by_alias else []
    return tuple(map(dimensions, [{}, {"FunctionName": name}, resource, *more]))


def _seeded_minute(past: Past, name: str, share: float, metric: str, minute: int) -> Iterable[float]:
    dice = random.Random(f"{name} {minute}")
    mean = past.calls * share
    # Rare calls come now and then; many vary by their square root, as independent callers' do.
    calls = (
        max(0, round(dice.gauss(mean, mean**0.5))) if mean >= 10 else sum(dice.random() < mean / 20 for _ in range(20))
    )
    if metric == "Duration":
        return [past.milliseconds * dice.lognormvariate(0.0, 0.35) for _ in range(calls)]
    chance = {"Errors": past.errors, "Throttles": past.throttles}.get(metric, 1.0)
    return [float(dice.random() < chance) for _ in range(calls)]


_SPACES: dict[tuple[str, str], Space] = {}
_LOCK = threading.Lock()


def space(account: str, region: str) -> Space:
    """The metrics of an account in a region."""
    with _LOCK:
        return _SPACES.setdefault((account, region), Space())


def seed(account: str, region: str, name: str, past: Past) -> None:
    """Give a function a past."""
    found = space(account, region)
    with found.lock:
        found.pasts[name] = past


@dataclass(frozen=True)
class Source:
    """Where an invocation belongs: the function, the qualifier it was called by ("" for none), the version that ran."""

    account: str
    region: str
    name: str
    qualifier: str
    version: str


def record_invocation(source: Source, *, milliseconds: float, failed: bool, began: float, concurrent: int) -> None:
    """Record a finished invocation at the time it began (epoch seconds). A failed function is an invocation too."""
    values = {"Invocations": 1.0, "Errors": float(failed), "Duration": milliseconds, "Throttles": 0.0}
    _record(source, values | {"ConcurrentExecutions": float(concurrent)}, began)


def record_throttle(source: Source) -> None:
    """Record a call that was throttled: it is neither an invocation nor an error."""
    _record(source, {"Throttles": 1.0}, clock.seconds())


def _record(source: Source, values: Mapping[str, float], at: float) -> None:
    found = space(source.account, source.region)
    with found.lock:
        for under in _under(source.name, source.qualifier, source.version):
            for metric, value in values.items():
                found.add(metric, under, at, value)
