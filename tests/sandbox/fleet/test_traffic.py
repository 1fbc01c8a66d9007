"""The seeded past of a fleet's metrics."""

from sandbox.fleet.functions import FUNCTIONS
from sandbox.fleet.traffic import traffic
from sandbox.logs.metrics import Past, dimensions, seed, space

START = 1_780_000_020.0 // 60 * 60
HOUR = 3600.0


def total(region: str, metric: str, since: float = START, until: float = START + HOUR, **named: str) -> float:
    """The sum of a metric's samples in account 1."""
    samples = space("1", region).samples(metric, dimensions(named), since, until)
    return sum(sum(values) for _, values in samples)


def test_a_seeded_past_is_the_same_whenever_it_is_looked_at() -> None:
    seed("1", "same", "app", Past(calls=50, since=START, until=START + HOUR, errors=0.1))
    before = total("same", "Invocations", FunctionName="app")
    assert before == total("same", "Invocations", FunctionName="app")
    assert 2500 < before < 3500
    assert 0.05 < total("same", "Errors", FunctionName="app") / before < 0.15


def test_a_seeded_past_ends() -> None:
    seed("1", "ends", "app", Past(calls=50, since=START, until=START + HOUR))
    assert total("ends", "Invocations", START + HOUR, START + 2 * HOUR, FunctionName="app") == 0


def test_resources_share_the_functions_calls() -> None:
    shares = {("live", "1"): 0.9, ("live", "2"): 0.1}
    seed("1", "shares", "app", Past(calls=50, since=START, until=START + HOUR, resources=shares))
    whole = total("shares", "Invocations", FunctionName="app")
    parts = [
        total("shares", "Invocations", FunctionName="app", Resource="app:live", ExecutedVersion=number)
        for number in ("1", "2")
    ]
    assert whole == sum(parts) == total("shares", "Invocations")
    assert 0.85 < parts[0] / whole < 0.95


def test_seeded_metrics_are_listed() -> None:
    seed("1", "listed", "app", Past(calls=1, since=START, until=START + HOUR))
    found = {(metric, dict(under).get("Resource")) for metric, under, _ in space("1", "listed").listing()}
    assert {("Invocations", None), ("Invocations", "app"), ("Duration", "app")} <= found


def test_the_demos_traffic_goes_through_the_live_alias_by_its_weights() -> None:
    checkout = next(function for function in FUNCTIONS if function.name == "checkout-api")
    past = traffic(checkout, START)
    assert past.resources == {("live", "2"): 0.9, ("live", "3"): 0.1}
    assert (past.calls > 0, past.until) == (True, START)
    assert past == traffic(checkout, START)


def test_functions_of_the_demo_that_cannot_run_have_no_traffic() -> None:
    assert {traffic(function, START).calls for function in FUNCTIONS if function.trouble} == {0.0}
