"""CloudWatch Logs: groups, streams, put and read events, pages that are empty before the end."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions_app import clock
from tests.sandbox.functions import Functions


def now_ms() -> int:
    """Epoch milliseconds."""
    return int(clock.now().timestamp() * 1000)


@pytest.fixture
def logs(functions: Functions) -> Any:
    """Logs with the group "group" and its stream "stream"."""
    functions.logs.create_log_group(logGroupName="group")
    functions.logs.create_log_stream(logGroupName="group", logStreamName="stream")
    return functions.logs


def put(logs: Any, messages: list[str], *, stream: str = "stream", start: int | None = None) -> int:
    """Write messages a millisecond apart and give the first one's time."""
    first = now_ms() - len(messages) if start is None else start
    events = [{"timestamp": first + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName="group", logStreamName=stream, logEvents=events)
    return first


def test_filtered_events_carry_stream_time_and_a_unique_id(logs: Any) -> None:
    first = put(logs, ["one", "two"])
    events = logs.filter_log_events(logGroupName="group")["events"]
    assert [(event["logStreamName"], event["timestamp"], event["message"]) for event in events] == [
        ("stream", first, "one"),
        ("stream", first + 1, "two"),
    ]
    assert len({event["eventId"] for event in events}) == 2
    assert all(event["ingestionTime"] >= event["timestamp"] for event in events)


def test_a_limit_cuts_pages_that_the_token_joins(logs: Any) -> None:
    put(logs, [f"line {number}" for number in range(25)])
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="group", limit=10))
    assert [len(page["events"]) for page in pages] == [10, 10, 5]
    assert [event["message"] for page in pages for event in page["events"]] == [f"line {n}" for n in range(25)]


@pytest.mark.parametrize("operation", ["filter_log_events", "get_log_events"])
def test_a_page_holds_a_megabyte(logs: Any, operation: str) -> None:
    for number in range(3):
        put(logs, [f"{number}{half}" + "x" * 250_000 for half in "ab"], start=now_ms() - 1000 + 10 * number)
    where: dict[str, Any] = {"logGroupName": "group"}
    if operation == "get_log_events":
        where |= {"logStreamName": "stream", "startFromHead": True}
    first = getattr(logs, operation)(**where)
    token = first.get("nextToken") or first["nextForwardToken"]
    rest = getattr(logs, operation)(**where, nextToken=token)
    assert [[event["message"][:2] for event in page["events"]] for page in (first, rest)] == [
        ["0a", "0b", "1a", "1b", "2a"],
        ["2b"],
    ]


def test_a_page_may_be_empty_before_the_end(logs: Any) -> None:
    put(logs, [*["noise"] * 2500, "needle"])
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="group", filterPattern="needle"))
    assert pages[0]["events"] == []
    assert pages[0]["nextToken"]
    assert [event["message"] for event in pages[-1]["events"]] == ["needle"]
    assert "nextToken" not in pages[-1]


def test_events_of_one_moment_are_neither_lost_nor_doubled_over_pages(logs: Any) -> None:
    moment = now_ms()
    events = [{"timestamp": moment, "message": str(number)} for number in range(7)]
    logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="group", limit=2)
    assert [event["message"] for page in pages for event in page["events"]] == list("0123456")


def test_times_and_streams_narrow_the_search(logs: Any) -> None:
    logs.create_log_stream(logGroupName="group", logStreamName="other")
    first = put(logs, ["a", "b", "c"])
    put(logs, ["x"], stream="other", start=first + 1)

    def found(**where: Any) -> list[str]:
        events = logs.filter_log_events(logGroupName="group", **where)["events"]
        return [event["message"] for event in events]

    assert found(startTime=first + 1) == ["b", "x", "c"]
    assert found(startTime=first, endTime=first + 2) == ["a", "b", "x"]
    assert found(logStreamNames=["other"]) == ["x"]
    assert found(logStreamNamePrefix="str") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", ["ERROR disk full", "ERROR net", "INFO disk ok"]),
        ("ERROR", ["ERROR disk full", "ERROR net"]),
        ("ERROR disk", ["ERROR disk full"]),
        ('"disk full"', ["ERROR disk full"]),
        ("disk -full", ["INFO disk ok"]),
        ("?net ?ok", ["ERROR net", "INFO disk ok"]),
    ],
)
def test_a_pattern_of_terms_filters(logs: Any, pattern: str, found: list[str]) -> None:
    put(logs, ["ERROR disk full", "ERROR net", "INFO disk ok"])
    events = logs.filter_log_events(logGroupName="group", filterPattern=pattern)["events"]
    assert [event["message"] for event in events] == found


def test_new_events_are_found_from_where_the_last_look_ended(logs: Any) -> None:
    put(logs, ["old"])
    seen = logs.filter_log_events(logGroupName="group")["events"][-1]
    put(logs, ["new"], start=seen["timestamp"])
    later = logs.filter_log_events(logGroupName="group", startTime=seen["timestamp"])["events"]
    assert [event["message"] for event in later if event["eventId"] > seen["eventId"]] == ["new"]


def test_a_stream_is_read_from_head_and_from_tail(logs: Any) -> None:
    put(logs, [str(number) for number in range(6)])
    where = {"logGroupName": "group", "logStreamName": "stream", "limit": 4}
    head = logs.get_log_events(**where, startFromHead=True)
    assert [event["message"] for event in head["events"]] == list("0123")
    rest = logs.get_log_events(**where, startFromHead=True, nextToken=head["nextForwardToken"])
    assert [event["message"] for event in rest["events"]] == list("45")
    end = logs.get_log_events(**where, startFromHead=True, nextToken=rest["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], rest["nextForwardToken"])
    tail = logs.get_log_events(**where)
    assert [event["message"] for event in tail["events"]] == list("2345")
    before = logs.get_log_events(**where, nextToken=tail["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == list("01")


def test_events_out_of_order_are_refused(logs: Any) -> None:
    events = [{"timestamp": now_ms(), "message": "later"}, {"timestamp": now_ms() - 9, "message": "earlier"}]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="chronological order"):
        logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)


def test_events_that_are_too_old_are_rejected_and_said_so(logs: Any) -> None:
    old = now_ms() - 15 * 24 * 3600 * 1000
    events = [{"timestamp": old, "message": "old"}, {"timestamp": now_ms(), "message": "new"}]
    answer = logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert [event["message"] for event in logs.filter_log_events(logGroupName="group")["events"]] == ["new"]


@pytest.mark.parametrize("operation", ["filter_log_events", "describe_log_streams", "delete_log_group"])
def test_a_missing_group_is_not_found(functions: Functions, operation: str) -> None:
    with pytest.raises(functions.logs.exceptions.ResourceNotFoundException, match="log group does not exist"):
        getattr(functions.logs, operation)(logGroupName="missing")


def test_a_token_that_was_never_given_is_refused(logs: Any) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException, match="nextToken is invalid"):
        logs.filter_log_events(logGroupName="group", nextToken="nonsense")


def test_groups_are_listed_by_prefix_in_pages_with_their_retention(logs: Any) -> None:
    for name in ("/aws/lambda/a", "/aws/lambda/b", "/aws/lambda/c"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName="/aws/lambda/b", retentionInDays=7)
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/aws/lambda/", PaginationConfig={"PageSize": 2}
    )
    found = [(group["logGroupName"], group.get("retentionInDays")) for page in pages for group in page["logGroups"]]
    assert found == [("/aws/lambda/a", None), ("/aws/lambda/b", 7), ("/aws/lambda/c", None)]


def test_the_newest_stream_can_be_asked_for_first(logs: Any) -> None:
    logs.create_log_stream(logGroupName="group", logStreamName="newer")
    first = put(logs, ["old"])
    put(logs, ["new"], stream="newer", start=first + 1)
    streams = logs.describe_log_streams(logGroupName="group", orderBy="LastEventTime", descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["newer", "stream"]
    assert streams[0]["lastEventTimestamp"] == first + 1


def test_a_group_or_stream_that_is_there_is_not_made_again(logs: Any) -> None:
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="group")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName="group", logStreamName="stream")


def test_deleted_streams_take_their_events_along(logs: Any) -> None:
    put(logs, ["gone"])
    logs.delete_log_stream(logGroupName="group", logStreamName="stream")
    assert logs.filter_log_events(logGroupName="group")["events"] == []
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log stream does not exist"):
        logs.get_log_events(logGroupName="group", logStreamName="stream")


def test_what_the_sandbox_does_not_do_says_so(logs: Any) -> None:
    with pytest.raises(ClientError, match="The sandbox does not do logs:DescribeMetricFilters"):
        logs.describe_metric_filters(logGroupName="group")
