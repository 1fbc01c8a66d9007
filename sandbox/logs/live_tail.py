"""CloudWatch Logs' StartLiveTail: an event stream of what is written from now on.

moto answers with the group's past and ends; AWS streams only new events, once a second, until the client leaves or
the session has lasted three hours (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html).
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request

from sandbox.clock import CLOCK
from sandbox.core.event_stream import event, exception
from sandbox.core.protocol import Call, Reply, ServiceError
from sandbox.logs.cloudwatch_logs import LOGS, invalid, text_filter
from sandbox.logs.log_store import Group, LogEvent, groups

MOST_EVENTS = 500
"""Events of one update; of more, a sample is sent and the update says so."""
_BUFFERED = 5_000
"""Events kept for a client that is slower than the function; the oldest are dropped."""
_MOST_GROUPS = 10
_JSON = "application/x-amz-json-1.1"
_ECHOED = ("logStreamNames", "logStreamNamePrefixes", "logEventFilterPattern")


class Sessions:
    """How many sessions are open, by account: a client that forgets to close one is seen here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    def count(self, account: str, change: int) -> None:
        """One more or one fewer."""
        with self._lock:
            self._open[account] += change

    def endpoint(self, request: Request) -> object:
        """GET /_sandbox/live-tails: open sessions, of one account or of all."""
        account = request.args.get("account")
        with self._lock:
            return {"open": sum(count for owner, count in self._open.items() if account in (None, owner))}


SESSIONS = Sessions()


@LOGS.operation("StartLiveTail")
def start_live_tail(call: Call) -> Reply:
    """Check the session's terms, then stream."""
    found = _groups(call)
    if len(found) > 1 and (call.get("logStreamNames") or call.get("logStreamNamePrefixes")):
        raise invalid("logStreamNames and logStreamNamePrefixes can be used with a single log group only.")
    session = Session(call, found, _matcher(call))
    return Reply(200, session, {"Content-Type": "application/vnd.amazon.eventstream"})


def _groups(call: Call) -> dict[str, Group]:
    identifiers: Sequence[str] = call.get("logGroupIdentifiers", [])
    if not 1 <= len(identifiers) <= _MOST_GROUPS:
        raise invalid(f"logGroupIdentifiers must name 1 to {_MOST_GROUPS} log groups.")
    return {identifier: _group(call, identifier) for identifier in identifiers}


def _group(call: Call, identifier: str) -> Group:
    place = f"arn:aws:logs:{call.region}:{call.account}:log-group:"
    if not identifier.startswith("arn:") or identifier.endswith("*"):
        raise invalid(f"'{identifier}' is not the ARN of a log group (it must not end with an asterisk).")
    found = groups(call.account, call.region).get(identifier.removeprefix(place))
    if found is None:
        raise ServiceError("ResourceNotFoundException", 400, f"The specified log group does not exist: {identifier}")
    return found


def _matcher(call: Call) -> Callable[[LogEvent], bool]:
    names, prefixes = call.get("logStreamNames"), call.get("logStreamNamePrefixes")
    if names and prefixes:
        raise invalid("logStreamNames and logStreamNamePrefixes can not be used together.")
    holds = text_filter(call.get("logEventFilterPattern", ""))

    def matches(found: LogEvent) -> bool:
        if names and found.stream not in names:
            return False
        if prefixes and not found.stream.startswith(tuple(prefixes)):
            return False
        return holds(found.message)

    return matches


class Session:
    """One session: listens from its making on, gives the stream's messages, and lets go when it is closed."""

    def __init__(self, call: Call, found: Mapping[str, Group], matches: Callable[[LogEvent], bool]) -> None:
        self._call, self._groups, self._matches = call, found, matches
        self._arrived: deque[tuple[str, LogEvent]] = deque(maxlen=_BUFFERED)
        self._listeners = [(group, self._listener(identifier)) for identifier, group in found.items()]
        for group, listener in self._listeners:
            group.listen(listener)
        SESSIONS.count(call.account, 1)
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream()
        finally:
            # Whoever breaks off in the middle, as a fault does, closes this and not the session.
            self.close()

    def close(self) -> None:
        """Stop listening: the client has left, or the session is over."""
        if self._closed:
            return
        self._closed = True
        for group, listener in self._listeners:
            group.forget(listener)
        SESSIONS.count(self._call.account, -1)

    def _listener(self, identifier: str) -> Callable[[Sequence[LogEvent]], None]:
        def listen(events: Sequence[LogEvent]) -> None:
            for found in events:
                if self._matches(found):
                    self._arrived.append((identifier, found))

        return listen

    def _stream(self) -> Iterator[bytes]:
        call, ends_at = self._call, time.monotonic() + CLOCK.tail_session
        yield event("initial-response", b"{}", _JSON)
        start: dict[str, Any] = {"requestId": call.request_id, "sessionId": str(uuid.uuid4())}
        start |= {"logGroupIdentifiers": list(self._groups)}
        start |= {name: call[name] for name in _ECHOED if call.get(name)}
        yield event("sessionStart", json.dumps(start).encode(), _JSON)
        while (left := ends_at - time.monotonic()) > 0:
            # A server thread of this session's own waits here; an update without events finds out who has left.
            time.sleep(min(CLOCK.tail, left))
            yield event("sessionUpdate", json.dumps(self._update()).encode(), _JSON)
        message = json.dumps({"message": "Session has timed out. Please start a new session."}).encode()
        yield exception("SessionTimeoutException", message, _JSON)

    def _update(self) -> dict[str, Any]:
        arrived = [self._arrived.popleft() for _ in range(len(self._arrived))]
        sampled = len(arrived) > MOST_EVENTS
        if sampled:
            arrived = [arrived[number * len(arrived) // MOST_EVENTS] for number in range(MOST_EVENTS)]
        results = [_result(identifier, found) for identifier, found in arrived]
        return {"sessionMetadata": {"sampled": sampled}, "sessionResults": results}


def _result(identifier: str, found: LogEvent) -> dict[str, Any]:
    _, _, _, _, account, _, name = identifier.split(":", 6)
    return {
        "logStreamName": found.stream,
        "logGroupIdentifier": f"{account}:{name}",
        "message": found.message,
        "timestamp": found.timestamp,
        "ingestionTime": found.ingested,
    }
