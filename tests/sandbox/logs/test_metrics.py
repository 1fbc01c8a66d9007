"""CloudWatch's AWS/Lambda metrics, read by plain boto3: what invocations leave behind, per function and resource."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions_app import clock
from tests.fixtures import ClientFactory
from tests.sandbox.functions import Functions, until

FAILS_ON_REQUEST = "def handler(event, context):\n    return {'done': 1 / event['by']}\n"


@dataclass(frozen=True)
class Metrics:
    """Asks CloudWatch about the last quarter of an hour."""

    api: Any

    def ask(self, metric: str, statistic: str = "Sum", **named: str) -> list[float]:
        """GetMetricStatistics for a dimension set; one number, or none."""
        return [point[statistic] for point in self.points(metric, statistic, **named)]

    def points(self, metric: str, *statistics: str, **named: str) -> list[dict[str, Any]]:
        """GetMetricStatistics in one period."""
        found: list[dict[str, Any]] = self.api.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=pairs(named),
            Period=900,
            Statistics=list(statistics),
            **span(),
        )["Datapoints"]
        return found

    def data(self, *queries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """GetMetricData."""
        found: dict[str, Any] = self.api.get_metric_data(MetricDataQueries=list(queries), **(span() | more))
        return found

    def listed(self, **terms: Any) -> list[tuple[str, dict[str, str]]]:
        """ListMetrics as (name, dimensions)."""
        found = self.api.list_metrics(Namespace="AWS/Lambda", **terms)["Metrics"]
        return [(entry["MetricName"], {d["Name"]: d["Value"] for d in entry["Dimensions"]}) for entry in found]


@pytest.fixture
def metrics(client: ClientFactory) -> Metrics:
    """CloudWatch in the test's own account."""
    return Metrics(client("cloudwatch"))


def span() -> dict[str, datetime]:
    """The fifteen minutes that end a minute from now."""
    end = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    return {"StartTime": end - timedelta(minutes=15), "EndTime": end}


def pairs(named: Mapping[str, str]) -> list[dict[str, str]]:
    """Dimensions as the API wants them."""
    return [{"Name": name, "Value": value} for name, value in named.items()]


def query(name: str, metric: str = "Invocations", stat: str = "Sum", period: int = 900, **named: str) -> dict[str, Any]:
    """One query of GetMetricData."""
    asked = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": pairs(named)}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": period, "Stat": stat}}


def test_each_invocation_is_counted(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    assert metrics.ask("Invocations", FunctionName="app") == []
    for _ in range(3):
        functions.invoke()
    assert metrics.ask("Invocations", FunctionName="app") == [3.0]
    assert metrics.ask("Errors", FunctionName="app") == [0.0]


def test_a_failed_invocation_is_an_error_and_an_invocation(functions: Functions, metrics: Metrics) -> None:
    functions.deploy(FAILS_ON_REQUEST)
    for divisor in (1, 0, 0):
        functions.invoke(event={"by": divisor})
    assert metrics.ask("Invocations", FunctionName="app") == [3.0]
    assert metrics.ask("Errors", FunctionName="app") == [2.0]


def test_duration_is_the_handlers_time_in_milliseconds(functions: Functions, metrics: Metrics) -> None:
    functions.deploy("import time\ndef handler(event, context):\n    time.sleep(event)\n")
    for seconds in (0, 0.2):
        functions.invoke(event=seconds)
    (point,) = metrics.points("Duration", "Minimum", "Average", "Maximum", "SampleCount", FunctionName="app")
    assert point["Unit"] == "Milliseconds"
    assert point["SampleCount"] == 2
    assert point["Minimum"] < 200 <= point["Maximum"]
    assert point["Minimum"] <= point["Average"] <= point["Maximum"]


def test_a_timeout_lasts_as_long_as_it_may(functions: Functions, metrics: Metrics) -> None:
    functions.deploy("import time\ndef handler(event, context):\n    time.sleep(9)\n", Timeout=1)
    functions.invoke()
    assert metrics.ask("Duration", "Maximum", FunctionName="app") == [1000.0]
    assert metrics.ask("Errors", FunctionName="app") == [1.0]


def test_a_throttled_call_is_a_throttle_and_no_invocation(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    with pytest.raises(functions.api.exceptions.TooManyRequestsException):
        functions.invoke()
    assert metrics.ask("Throttles", FunctionName="app") == [1.0]
    assert metrics.ask("Invocations", FunctionName="app") == []


def test_calls_at_the_same_time_are_counted_as_concurrent(functions: Functions, metrics: Metrics) -> None:
    functions.deploy(
        "import time\ndef handler(event, context):\n    print('at work')\n    time.sleep(event)\n", Timeout=10
    )
    functions.invoke(event=2, InvocationType="Event")
    until(lambda: "at work" in functions.lines())
    functions.invoke(event=0)
    assert metrics.ask("ConcurrentExecutions", "Maximum", FunctionName="app") == [2.0]


def test_events_and_streams_are_counted_too_and_dry_runs_are_not(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.invoke(InvocationType="DryRun")
    list(functions.api.invoke_with_response_stream(FunctionName="app")["EventStream"])
    functions.invoke(InvocationType="Event")
    until(lambda: metrics.ask("Invocations", FunctionName="app") == [2.0])


def test_a_version_and_an_alias_are_resources_of_their_own(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.publish()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    functions.invoke()
    functions.invoke(Qualifier="1")
    for _ in range(3):
        functions.invoke(Qualifier="live")
    assert metrics.ask("Invocations", FunctionName="app") == [5.0]
    assert metrics.ask("Invocations", FunctionName="app", Resource="app") == [1.0]
    assert metrics.ask("Invocations", FunctionName="app", Resource="app:1") == [1.0]
    assert metrics.ask("Invocations", FunctionName="app", Resource="app:live") == [3.0]


def test_the_two_versions_behind_an_alias_are_told_apart(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.publish()
    functions.next_version()
    functions.api.create_alias(
        FunctionName="app",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    executed = [functions.invoke(Qualifier="live").version for _ in range(20)]
    for version in ("1", "2"):
        counted = metrics.ask("Invocations", FunctionName="app", Resource="app:live", ExecutedVersion=version)
        assert sum(counted) == executed.count(version)


def test_without_dimensions_the_whole_account_is_summed(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.deploy(name="other")
    functions.invoke()
    functions.invoke("other")
    assert metrics.ask("Invocations") == [2.0]


def test_accounts_and_regions_are_apart(functions: Functions, client: ClientFactory) -> None:
    functions.deploy()
    functions.invoke()
    for elsewhere in (client("cloudwatch", "us-east-1"), client("cloudwatch", account="999999999998")):
        assert Metrics(elsewhere).ask("Invocations", FunctionName="app") == []


def test_many_metrics_are_read_at_once(functions: Functions, metrics: Metrics) -> None:
    functions.deploy(FAILS_ON_REQUEST)
    functions.invoke(event={"by": 0})
    found = metrics.data(
        query("calls", FunctionName="app"),
        query("errors", "Errors", FunctionName="app") | {"Label": "Failures"},
        query("slowest", "Duration", "p99", FunctionName="app"),
        query("nothing", FunctionName="missing"),
    )["MetricDataResults"]
    assert [result["Id"] for result in found] == ["calls", "errors", "slowest", "nothing"]
    assert [len(result["Values"]) for result in found] == [1, 1, 1, 0]
    assert found[0]["Values"] == found[1]["Values"] == [1.0]
    assert (found[0]["Label"], found[1]["Label"]) == ("Invocations", "Failures")
    assert {result["StatusCode"] for result in found} == {"Complete"}


def test_a_datapoint_begins_with_its_period(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    functions.invoke()
    (result,) = metrics.data(query("calls", period=60, FunctionName="app"))["MetricDataResults"]
    (moment,) = result["Timestamps"]
    assert moment.second == 0
    assert timedelta() <= clock.now() - moment < timedelta(minutes=2)


def test_a_start_after_the_end_is_refused(metrics: Metrics) -> None:
    now = clock.now()
    with pytest.raises(ClientError, match="StartTime must be less than") as refused:
        metrics.data(query("calls"), StartTime=now, EndTime=now - timedelta(hours=1))
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_more_than_1440_datapoints_are_refused(metrics: Metrics) -> None:
    end = clock.now()
    with pytest.raises(ClientError, match="exceeds the limit of 1440") as refused:
        metrics.api.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            StartTime=end - timedelta(days=2),
            EndTime=end,
            Period=60,
            Statistics=["Sum"],
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterCombination"


def test_metrics_are_listed_once_there_is_data(functions: Functions, metrics: Metrics) -> None:
    functions.deploy()
    assert metrics.listed() == []
    functions.publish()
    functions.invoke(Qualifier="1")
    named = [{"Name": "FunctionName", "Value": "app"}]
    assert metrics.listed(MetricName="Errors", Dimensions=named) == [
        ("Errors", {"FunctionName": "app"}),
        ("Errors", {"FunctionName": "app", "Resource": "app:1"}),
    ]
    assert {name for name, _ in metrics.listed(RecentlyActive="PT3H")} == {
        "Invocations",
        "Errors",
        "Duration",
        "Throttles",
        "ConcurrentExecutions",
    }
    assert metrics.listed(Dimensions=[{"Name": "ExecutedVersion"}]) == []


def test_other_namespaces_hold_nothing(metrics: Metrics) -> None:
    assert metrics.api.list_metrics(Namespace="AWS/ECR")["Metrics"] == []
