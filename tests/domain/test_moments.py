"""A moment as it is written into a filter."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.moments import moment

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24h", NOW - timedelta(hours=24)),
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-11-28T14:30", datetime(2026, 11, 28, 14, 30, tzinfo=UTC)),
        ("2026-11-28T14:30+02:00", datetime(2026, 11, 28, 12, 30, tzinfo=UTC)),
    ],
)
def test_days_times_and_how_long_ago_are_understood(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant


def test_the_end_of_a_day_is_meant_where_something_ends() -> None:
    assert moment("2026-11-28", NOW, end=True) == datetime(2026, 11, 29, tzinfo=UTC)
    assert moment("2026-11-28T14:30", NOW, end=True) == datetime(2026, 11, 28, 14, 30, tzinfo=UTC)
    assert moment("9999-12-31", NOW, end=True) is None


@pytest.mark.parametrize("text", ["", "yesterday", "24", "h", "2026-13-01", "0001-01-01T00:00+14:00", "999999d", "٢٤h"])
def test_nonsense_is_no_moment(text: str) -> None:
    assert moment(text, NOW) is None
