"""CloudWatch Logs: groups, streams, put, get and filter events; live_tail.py follows them.

In-process, Lambda writes by `log_store.write(account, region, group, stream, lines)`.

moto never gives an empty page before the end; AWS's FilterLogEvents does, and nextToken says whether there is more.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.core import dispatch
from sandbox.core.protocol import Call, JsonService, ServiceError
from sandbox.logs.log_store import Group, LogEvent, Stream, create_group, groups, now_ms

LOGS = JsonService("logs")
SCAN = 1_000
"""Events that one FilterLogEvents call looks at: beyond, a page may be empty and still not the last."""
MOST_EVENTS = 10_000
MOST_BYTES = 1024 * 1024
"""Of the messages of a page, in UTF-8: "up to 1 MB (up to 10,000 log events)" (FilterLogEvents, GetLogEvents)."""
OLDEST_MS = 14 * 24 * 3600 * 1000
NEWEST_MS = 2 * 3600 * 1000
_RETENTIONS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}


def install() -> None:
    """Answer CloudWatch Logs with this module."""
    dispatch.route("logs", LOGS)


def invalid(message: str) -> ServiceError:
    """InvalidParameterException."""
    return ServiceError("InvalidParameterException", 400, message)


def _group(call: Call) -> Group:
    name = call.get("logGroupName") or str(call.get("logGroupIdentifier", "")).rsplit("log-group:", 1)[-1]
    found = groups(call.account, call.region).get(name)
    if found is None:
        raise ServiceError("ResourceNotFoundException", 400, "The specified log group does not exist.")
    return found


def _stream(call: Call, group: Group) -> Stream:
    found = group.streams.get(call["logStreamName"])
    if found is None:
        raise ServiceError("ResourceNotFoundException", 400, "The specified log stream does not exist.")
    return found


@LOGS.operation("CreateLogGroup")
def create_log_group(call: Call) -> None:
    """A new, empty group."""
    name = call["logGroupName"]
    if not re.fullmatch(r"[\w.\-/#]{1,512}", name):
        raise invalid(f"Value '{name}' at 'logGroupName' failed to satisfy constraint: [\\.\\-_/#A-Za-z0-9]+")
    if name in groups(call.account, call.region):
        raise ServiceError("ResourceAlreadyExistsException", 400, "The specified log group already exists")
    create_group(call.account, call.region, name, tags=dict(call.get("tags", {})))


@LOGS.operation("DeleteLogGroup")
def delete_log_group(call: Call) -> None:
    """Forget a group with its events."""
    groups(call.account, call.region).pop(_group(call).name, None)


@LOGS.operation("DescribeLogGroups")
def describe_log_groups(call: Call) -> Mapping[str, Any]:
    """Groups by name, by prefix where it is given; at most 50 a page."""
    prefix = call.get("logGroupNamePrefix", "")
    found = [group for name, group in sorted(groups(call.account, call.region).items()) if name.startswith(prefix)]
    part, token = _page(call, found, lambda group: group.name)
    return _with_token({"logGroups": [_describe_group(group) for group in part]}, token)


def _describe_group(group: Group) -> dict[str, Any]:
    document: dict[str, Any] = {
        "logGroupName": group.name,
        "creationTime": group.created,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "storedBytes": sum(stream.stored_bytes for stream in group.streams.values()),
        "logGroupClass": "STANDARD",
        "logGroupArn": group.arn,
    }
    return document | ({"retentionInDays": group.retention_days} if group.retention_days else {})


@LOGS.operation("PutRetentionPolicy")
def put_retention_policy(call: Call) -> None:
    """How many days events are kept. The sandbox remembers it and deletes nothing."""
    if call["retentionInDays"] not in _RETENTIONS:
        raise invalid(f"retentionInDays {call['retentionInDays']} is not one of {sorted(_RETENTIONS)}")
    _group(call).retention_days = call["retentionInDays"]


@LOGS.operation("DeleteRetentionPolicy")
def delete_retention_policy(call: Call) -> None:
    """Keep events for ever."""
    _group(call).retention_days = None


@LOGS.operation("CreateLogStream")
def create_log_stream(call: Call) -> None:
    """A new, empty stream."""
    group, name = _group(call), call["logStreamName"]
    with group.lock:
        if name in group.streams:
            raise ServiceError("ResourceAlreadyExistsException", 400, "The specified log stream already exists")
        group.streams[name] = Stream(name)


@LOGS.operation("DeleteLogStream")
def delete_log_stream(call: Call) -> None:
    """Forget a stream with its events."""
    group = _group(call)
    with group.lock:
        stream = _stream(call, group)
        del group.streams[stream.name]
        group.events = [event for event in group.events if event.stream != stream.name]


@LOGS.operation("DescribeLogStreams")
def describe_log_streams(call: Call) -> Mapping[str, Any]:
    """Streams by name, or by the time of their last event; at most 50 a page."""
    group, prefix = _group(call), call.get("logStreamNamePrefix", "")
    by_time = call.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")

    def key(stream: Stream) -> list[Any]:
        return [stream.events[-1].timestamp if by_time and stream.events else 0, stream.name]

    with group.lock:
        found = [stream for stream in group.streams.values() if stream.name.startswith(prefix)]
        found.sort(key=key, reverse=bool(call.get("descending")))
        part, token = _page(call, found, lambda stream: stream.name)
        return _with_token({"logStreams": [_describe_stream(group, stream) for stream in part]}, token)


def _describe_stream(group: Group, stream: Stream) -> dict[str, Any]:
    document: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # as on AWS since 2019
    }
    if stream.events:
        first, last = stream.events[0], stream.events[-1]
        document |= {"firstEventTimestamp": first.timestamp, "lastEventTimestamp": last.timestamp}
        document["lastIngestionTime"] = last.ingested
    return document


@LOGS.operation("PutLogEvents")
def put_log_events(call: Call) -> Mapping[str, Any]:
    """Append events; those too old or too new are rejected and said so."""
    group = _group(call)
    stream, events = _stream(call, group), call["logEvents"]
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    now = now_ms()
    kept = [event for event in events if now - OLDEST_MS <= event["timestamp"] <= now + NEWEST_MS]
    group.put(stream, [(event["timestamp"], event["message"]) for event in kept])
    answer: dict[str, Any] = {"nextSequenceToken": f"{group.written:056d}"}
    too_old = sum(time < now - OLDEST_MS for time in times)
    rejected: dict[str, int] = {"tooOldLogEventEndIndex": too_old} if too_old else {}
    if times and times[-1] > now + NEWEST_MS:
        rejected["tooNewLogEventStartIndex"] = sum(time <= now + NEWEST_MS for time in times)
    return answer | ({"rejectedLogEventsInfo": rejected} if rejected else {})


@LOGS.operation("GetLogEvents")
def get_log_events(call: Call) -> Mapping[str, Any]:
    """Events of one stream, forward or backward; a token that comes back unchanged marks the end."""
    group = _group(call)
    stream = _stream(call, group)
    start, end = call.get("startTime", 0), call.get("endTime")
    with group.lock:
        events = [
            event for event in stream.events if event.timestamp >= start and (end is None or event.timestamp < end)
        ]
    limit, token = min(call.get("limit", MOST_EVENTS), MOST_EVENTS), call.get("nextToken", "")
    if token and not re.fullmatch(r"[fb]/\d+", token):
        raise invalid("The specified nextToken is invalid.")
    if token.startswith("f/") or (not token and call.get("startFromHead")):
        first = int(token[2:] or 0) if token else 0
        last = first + _fitting(events[first : first + limit])
    else:
        last = min(int(token[2:]), len(events)) if token else len(events)
        first = last - _fitting(events[max(0, last - limit) : last][::-1])
    found = [{"timestamp": e.timestamp, "message": e.message, "ingestionTime": e.ingested} for e in events[first:last]]
    return {"events": found, "nextForwardToken": f"f/{last:056d}", "nextBackwardToken": f"b/{first:056d}"}


def _fitting(events: Sequence[LogEvent]) -> int:
    """How many of these fill a page."""
    sizes = itertools.accumulate(len(event.message.encode()) for event in events)
    return next((number for number, size in enumerate(sizes, 1) if size >= MOST_BYTES), len(events))


@LOGS.operation("FilterLogEvents")
def filter_log_events(call: Call) -> Mapping[str, Any]:
    """Events of a group in the order of their times. A page may be empty and still carry a nextToken."""
    group = _group(call)
    limit = min(call.get("limit", MOST_EVENTS), MOST_EVENTS)
    events, more = group.window(_place_of(call), call.get("endTime"), SCAN)
    matches = _matcher(call)
    found: list[LogEvent] = []
    size = 0
    for position, event in enumerate(events):
        if matches(event):
            found.append(event)
            size += len(event.message.encode())
        if len(found) == limit or size >= MOST_BYTES:
            more = more or position + 1 < len(events)
            events = events[: position + 1]
            break
    token = f"{events[-1].timestamp}-{events[-1].number}" if more else None
    return _with_token({"events": [_describe_event(event) for event in found], "searchedLogStreams": []}, token)


def _place_of(call: Call) -> tuple[int, int]:
    token = call.get("nextToken")
    if not token:
        return call.get("startTime", 0), -1
    match = re.fullmatch(r"(\d+)-(\d+)", token)
    if not match:
        raise invalid("The specified nextToken is invalid.")
    return int(match[1]), int(match[2])


def _describe_event(event: LogEvent) -> dict[str, Any]:
    return {
        "logStreamName": event.stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": event.event_id,
    }


def _matcher(call: Call) -> Callable[[LogEvent], bool]:
    names, prefix = call.get("logStreamNames"), call.get("logStreamNamePrefix")
    if names and prefix:
        raise invalid("LogStreamNames and LogStreamNamePrefix can not be used together.")
    holds = text_filter(call.get("filterPattern", ""))

    def matches(event: LogEvent) -> bool:
        wanted = event.stream in names if names else event.stream.startswith(prefix or "")
        return wanted and holds(event.message)

    return matches


def text_filter(pattern: str) -> Callable[[str], bool]:
    """A filter pattern of terms: all must be in the message, `-` ones must not, of `?` ones any.

    Raises InvalidParameterException for JSON and space-delimited patterns, which the sandbox does not do.
    """
    if pattern.strip()[:1] in ("{", "["):
        raise invalid("The sandbox filters by terms only, not by JSON or space-delimited patterns.")
    terms = [
        (sign, quoted or bare) for sign, quoted, bare in re.findall(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))', pattern)
    ]
    needed = [term.replace('\\"', '"') for sign, term in terms if not sign]
    banned = [term for sign, term in terms if sign == "-"]
    any_of = [term for sign, term in terms if sign == "?"]

    def holds(message: str) -> bool:
        if any(term in message for term in banned) or not all(term in message for term in needed):
            return False
        return not any_of or bool(needed) or any(term in message for term in any_of)

    return holds


def _page(call: Call, items: Sequence[Any], key: Callable[[Any], str]) -> tuple[Sequence[Any], str | None]:
    token, limit = call.get("nextToken"), min(call.get("limit", 50), 50)
    start = 0
    if token:
        start = next((place + 1 for place, item in enumerate(items) if key(item) == token), len(items))
    part = items[start : start + limit]
    return part, key(part[-1]) if start + limit < len(items) else None


def _with_token(document: dict[str, Any], token: str | None) -> dict[str, Any]:
    return document | ({"nextToken": token} if token else {})
