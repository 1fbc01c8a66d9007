"""A moment as somebody writes it into a filter: a day, a time of a day, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

WRITTEN = "2026-11-29, 2026-11-29T14:30 (UTC) or, for how long ago, 90m, 24h or 7d"
_AGO = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def moment(text: str, now: datetime, *, end: bool = False) -> datetime | None:
    """The moment that is meant, None where nobody can tell; of a day alone its beginning, or its `end`."""
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        return found + timedelta(days=1) if end and _DAY.fullmatch(text) else found
    except (ValueError, OverflowError):
        return None
