"""Tables as JSON: an array with an object for each row, written row by row."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from functions_app.domain.csv_text import utc_text


def json_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as members of an array, each in a line of its own; what holds them has the brackets."""
    texts = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=_plain) for row in rows)
    return ",".join(f"\n{text}" for text in texts)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)
