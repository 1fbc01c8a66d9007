"""CloudWatch's GetMetricStatistics, GetMetricData and ListMetrics over sandbox.logs.metrics.

boto3 speaks the JSON protocol to CloudWatch; the older query protocol is not done here. Periods are counted from the
start time, rounded down to its minute. Metric math is refused.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox import clock
from sandbox.core import dispatch
from sandbox.core.protocol import Call, JsonService, ServiceError
from sandbox.logs.metrics import METRICS, MINUTE, Dimensions, dimensions, space

NAMESPACE = "AWS/Lambda"
MOST_DATAPOINTS = 1_440
MOST_RESULTS = 100_800
MOST_QUERIES = 500
PAGE = 500
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "SampleCount": lambda samples: float(len(samples)),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda samples: sum(samples) / len(samples),
}
RECENT = 3 * 3600.0
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


CLOUDWATCH = JsonService("cloudwatch")


def install() -> None:
    """Answer CloudWatch with this module."""
    dispatch.route("monitoring", CLOUDWATCH)


def _invalid(code: str, message: str) -> ServiceError:
    return ServiceError(code, 400, message)


def _dimensions(given: Sequence[Mapping[str, str]] | None) -> Dimensions:
    return dimensions({entry["Name"]: entry["Value"] for entry in given or ()})


def _span(call: Call, code: str) -> tuple[float, float]:
    start, end = _seconds(call["StartTime"]), _seconds(call["EndTime"])
    if start >= end:
        raise _invalid(code, "The parameter StartTime must be less than the parameter EndTime.")
    return start // MINUTE * MINUTE, end


def _seconds(given: float | str) -> float:
    """Epoch seconds, of a time as the JSON protocol has it or as people write it."""
    return datetime.fromisoformat(given).timestamp() if isinstance(given, str) else float(given)


def _check_period(period: int) -> int:
    if period < MINUTE or period % MINUTE:
        raise _invalid("InvalidParameterValue", "The parameter Period must be a multiple of 60 for AWS/Lambda.")
    return period


def _periods(
    call: Call, metric: Mapping[str, Any], span: tuple[float, float], period: int
) -> Iterator[tuple[float, array[float]]]:
    """(start, samples) of each period that has samples, in their order."""
    if metric["Namespace"] != NAMESPACE:
        return
    start, end = span
    found = space(call.account, call.region)
    together: dict[float, array[float]] = {}
    with found.lock:
        for minute, samples in found.samples(metric["MetricName"], _dimensions(metric.get("Dimensions")), start, end):
            together.setdefault(start + (minute - start) // period * period, array("d")).extend(samples)
    yield from together.items()


def _statistic(name: str, samples: Sequence[float]) -> float:
    if name in _STATISTICS:
        return _STATISTICS[name](samples)
    match = _PERCENTILE.fullmatch(name)
    if not match:
        raise _invalid("ValidationError", f"The sandbox does not do the statistic {name}.")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * float(match[1]) / 100
    below = ordered[int(place)]
    return below + (ordered[min(int(place) + 1, len(ordered) - 1)] - below) * (place % 1)


@CLOUDWATCH.operation("GetMetricStatistics")
def get_metric_statistics(call: Call) -> Mapping[str, Any]:
    """Statistics of one metric; AWS promises no order of the datapoints, here they are in that of time."""
    statistics, percentiles = call.get("Statistics", []), call.get("ExtendedStatistics", [])
    if not statistics and not percentiles:
        raise _invalid("InvalidParameterCombination", "At least one of Statistics and ExtendedStatistics is needed.")
    span, period = _span(call, "InvalidParameterValue"), _check_period(call["Period"])
    wanted = -int(-(span[1] - span[0]) // period)
    if wanted > MOST_DATAPOINTS:
        raise _invalid(
            "InvalidParameterCombination",
            f"You have requested up to {wanted} datapoints, which exceeds the limit of {MOST_DATAPOINTS}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range.",
        )
    unit = METRICS.get(call["MetricName"], "None")
    points: list[dict[str, Any]] = []
    for start, samples in _periods(call, call.parameters, span, period):
        point: dict[str, Any] = {"Timestamp": start, "Unit": unit}
        point |= {name: _statistic(name, samples) for name in statistics}
        if percentiles:
            point["ExtendedStatistics"] = {name: _statistic(name, samples) for name in percentiles}
        points.append(point)
    if call.get("Unit", unit) != unit:
        points = []
    return {"Label": call["MetricName"], "Datapoints": points}


@CLOUDWATCH.operation("GetMetricData")
def get_metric_data(call: Call) -> Mapping[str, Any]:
    """Many metrics at once, newest first unless ScanBy says otherwise; pages when there is more than MaxDatapoints."""
    queries = call["MetricDataQueries"]
    if len(queries) > MOST_QUERIES:
        raise _invalid("ValidationError", f"The collection MetricDataQueries must not have more than {MOST_QUERIES}.")
    if any("MetricStat" not in query for query in queries):
        raise _invalid("ValidationError", "The sandbox does no metric math: every query needs a MetricStat.")
    span = _span(call, "ValidationError")
    results = [_result(call, query, span) for query in queries if query.get("ReturnData", True)]
    return _paged(call, results)


def _result(call: Call, query: Mapping[str, Any], span: tuple[float, float]) -> dict[str, Any]:
    stat = query["MetricStat"]
    metric = stat["Metric"]
    points = list(_periods(call, metric, span, _check_period(stat["Period"])))
    if call.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        points.reverse()
    if stat.get("Unit", METRICS.get(metric["MetricName"])) != METRICS.get(metric["MetricName"]):
        points = []
    return {
        "Id": query["Id"],
        "Label": query.get("Label", metric["MetricName"]),
        "Timestamps": [start for start, _ in points],
        "Values": [_statistic(stat["Stat"], samples) for _, samples in points],
        "StatusCode": "Complete",
    }


def _paged(call: Call, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Cut datapoints to the page; a result that goes on says PartialData."""
    most, skip = min(call.get("MaxDatapoints", MOST_RESULTS), MOST_RESULTS), int(call.get("NextToken", 0))
    total = sum(len(result["Values"]) for result in results)
    at = 0
    for result in results:
        size = len(result["Values"])
        first, last = min(max(skip - at, 0), size), min(max(skip + most - at, 0), size)
        at += size
        result |= {"Timestamps": result["Timestamps"][first:last], "Values": result["Values"][first:last]}
        result["StatusCode"] = "PartialData" if last < size else "Complete"
    token = {"NextToken": str(skip + most)} if skip + most < total else {}
    return {"MetricDataResults": results, "Messages": [], **token}


@CLOUDWATCH.operation("ListMetrics")
def list_metrics(call: Call) -> Mapping[str, Any]:
    """Metrics that have data, by namespace, name and dimensions (a filter without a value asks for the name only)."""
    if call.get("Namespace", NAMESPACE) != NAMESPACE:
        return {"Metrics": []}
    since = clock.seconds() - RECENT if call.get("RecentlyActive") else 0.0
    found = space(call.account, call.region)
    with found.lock:
        metrics = sorted({(metric, under) for metric, under, last in found.listing() if last >= since})
    metrics = [entry for entry in metrics if _listed(call, *entry)]
    start = int(call.get("NextToken", 0))
    token = {"NextToken": str(start + PAGE)} if start + PAGE < len(metrics) else {}
    return {"Metrics": [_describe(*entry) for entry in metrics[start : start + PAGE]], **token}


def _listed(call: Call, metric: str, under: Dimensions) -> bool:
    values = dict(under)
    filters = call.get("Dimensions", [])
    return call.get("MetricName", metric) == metric and all(
        entry["Name"] in values and entry.get("Value", values[entry["Name"]]) == values[entry["Name"]]
        for entry in filters
    )


def _describe(metric: str, under: Dimensions) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in under]
    return {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": pairs}
