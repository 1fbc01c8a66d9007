"""CloudWatch Logs: the lines of a log group as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions_app.aws import quota
from functions_app.aws.members import MOST_BIG, Entry, number, structures, text
from functions_app.aws.session import Target, client

LIMIT = 10_000  # events per page, AWS's own bound
LAST = 253_402_300_800_000  # milliseconds: no time after the year 9999 can be told


@dataclass(frozen=True)
class LogEvent:
    """One line of a log group; `id` is the same whenever it is read."""

    id: str
    at: datetime
    stream: str
    text: str


@dataclass(frozen=True)
class Page:
    """Some events, oldest first, perhaps none; and whether another page follows."""

    events: tuple[LogEvent, ...]
    more: bool


def pages(target: Target, log_group: str, start: datetime) -> Iterator[Page]:
    """Pages of events from `start` on, each when it is asked for, up to the end of what there is by then.

    AWS fills a page with 10,000 events or 1 MB, or with less. Raises DrydockError; NOT_FOUND while nothing was ever
    logged.
    """
    token: dict[str, Any] = {}
    while True:
        page = quota.read(
            target,
            "logs-filter",
            lambda token=token: client(target, "logs").filter_log_events(  # type: ignore[misc]
                logGroupName=log_group, startTime=int(start.timestamp() * 1000), limit=LIMIT, **token
            ),
        )
        found = {event.id: event for event in read_events(page)}
        more = bool(page.get("nextToken"))
        yield Page(tuple(sorted(found.values(), key=lambda event: event.at)), more)
        if not more:
            return
        token = {"nextToken": page["nextToken"]}


def read_events(page: Entry) -> Iterator[LogEvent]:
    """The lines of a page of FilterLogEvents. One without any time, or without a text, is no line."""
    for entry in structures(page, "events"):
        moment = number(entry, "timestamp", number(entry, "ingestionTime", most=MOST_BIG), most=MOST_BIG)
        stream, message = text(entry, "logStreamName"), entry.get("message")
        if not isinstance(message, str) or not 0 < moment < LAST:
            continue
        name = text(entry, "eventId") or f"{moment} {stream} {hash(message)}"
        yield LogEvent(name, datetime.fromtimestamp(moment / 1000, UTC), stream, message)
