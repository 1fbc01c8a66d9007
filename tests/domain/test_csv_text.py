"""CSV that spreadsheets open, and in which nothing is a formula."""

import csv
from datetime import date, datetime, timedelta, timezone
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.csv_text import csv_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", "  =1", "＝1", "＋1", "－1", "＠1"]
)
def test_a_text_that_begins_like_a_formula_is_made_a_text(text: str) -> None:
    assert next(csv.reader(StringIO(csv_text([[text]]), newline=""))) == [f"'{text}"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-3, "-3"),
        (0.5, "0.5"),
        (date(2026, 11, 29), "2026-11-29"),
        (datetime(2026, 11, 29, 5, 0, 0, 7, timezone(timedelta(hours=1))), "2026-11-29T04:00:00Z"),
        (("live:3", "staging:4"), "live:3 staging:4"),
        (["=1", "b"], "'=1 b"),
        ('a "b", c', 'a "b", c'),
    ],
)
def test_a_value_is_written_as_the_api_writes_it(value: object, cell: str) -> None:
    assert next(csv.reader(StringIO(csv_text([[value]]), newline=""))) == [cell]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2)))
def test_any_text_is_read_back_as_it_was_but_for_the_apostrophe(rows: list[list[str]]) -> None:
    read = list(csv.reader(StringIO(csv_text(rows), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
