"""The demo fleet's traffic of the last day: made up, the same for each function at every start, and lazily so."""

from __future__ import annotations

import random

from sandbox import clock
from sandbox.fleet.functions import DemoFunction
from sandbox.logs import metrics
from sandbox.logs.metrics import Past

DAY = 24 * 3600.0


def seed_traffic(function: DemoFunction) -> None:
    """Give a function's metrics a past of a day, which ends now."""
    past = traffic(function, clock.seconds())
    metrics.seed(function.repository.account, function.repository.region, function.name, past)


def traffic(function: DemoFunction, until: float) -> Past:
    """A day of calls through the function's live alias, shared as its weights are; none where it cannot run."""
    dice = random.Random(function.name)
    calls = 0.0 if function.trouble else dice.choice((0.5, 2.0, 6.0, 15.0, 30.0))
    return Past(
        calls=calls,
        since=until - DAY,
        until=until,
        errors=dice.choice((0.0, 0.001, 0.004, 0.02)),
        milliseconds=dice.uniform(20, 900),
        resources=_resources(function),
    )


def _resources(function: DemoFunction) -> dict[tuple[str, str], float]:
    if not function.aliases:
        return {}
    alias = "live" if "live" in function.aliases else next(iter(function.aliases))
    first = str(function.aliases[alias])
    second, weight = function.split.get(alias, (0, 0.0))
    return {(alias, first): 1.0 - weight} | ({(alias, str(second)): weight} if weight else {})
