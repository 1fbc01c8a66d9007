"""CloudWatch Logs: the lines of a log group as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions_app.aws import quota
from functions_app.aws.session import Target, client

LIMIT = 10_000  # events per page, AWS's own bound


@dataclass(frozen=True)
class LogEvent:
    """One line of a log group; `id` is the same whenever it is read."""

    id: str
    at: datetime
    stream: str
    text: str


def events(target: Target, log_group: str, start: datetime, pages: int) -> tuple[LogEvent, ...]:
    """Events from `start` on, oldest first, from at most `pages` pages (a page may be empty before the end).

    Raises DrydockError; NOT_FOUND while nothing was ever logged.
    """
    found: dict[str, LogEvent] = {}
    token: dict[str, Any] = {}
    for _ in range(pages):
        page = quota.read(
            target,
            "logs-filter",
            lambda token=token: client(target, "logs").filter_log_events(  # type: ignore[misc]
                logGroupName=log_group, startTime=int(start.timestamp() * 1000), limit=LIMIT, **token
            ),
        )
        for entry in page.get("events", []):
            at = datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
            found[entry["eventId"]] = LogEvent(entry["eventId"], at, entry["logStreamName"], entry["message"])
        if not page.get("nextToken"):
            break
        token = {"nextToken": page["nextToken"]}
    return tuple(sorted(found.values(), key=lambda event: event.at))
