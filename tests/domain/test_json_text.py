"""Tables as JSON: what is there, each row in a line."""

import json
from datetime import UTC, date, datetime
from enum import StrEnum

from functions_app.domain.json_text import json_rows


class Side(StrEnum):
    """One of ours."""

    BASE = "base"


def test_a_row_is_an_object_in_a_line_of_its_own() -> None:
    rows: list[list[object]] = [["=1+1", None], ["é\n", ("a", "b")]]
    text = json_rows(("name", "tags"), rows)
    assert text.count("\n") == len(rows)
    assert json.loads(f"[{text}]") == [{"name": "=1+1", "tags": None}, {"name": "é\n", "tags": ["a", "b"]}]


def test_times_and_words_are_written_as_the_api_writes_them() -> None:
    text = json_rows(("at", "on", "side"), [[datetime(2026, 11, 29, 4, 0, 0, 7, UTC), date(2026, 11, 29), Side.BASE]])
    assert json.loads(text) == {"at": "2026-11-29T04:00:00Z", "on": "2026-11-29", "side": "base"}
