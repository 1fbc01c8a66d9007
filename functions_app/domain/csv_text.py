"""Tables as CSV (RFC 4180): what a spreadsheet would take for a formula is made a text."""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO

_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as text, each with its line's end."""
    text = StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def utc_text(value: datetime) -> str:
    """A time as tables and texts have it: 2026-11-29T04:10:00Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(value: object) -> object:
    """A value as its cell has it. A text that begins like a formula gets an apostrophe: a tag may say anything."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    if not isinstance(value, str):
        return value
    plain = value.lstrip()  # some programs do not mind spaces before it, and take the wide forms too
    return f"'{value}" if plain[:1] in _FORMULA or value.startswith(("\t", "\r", "\n")) else value
