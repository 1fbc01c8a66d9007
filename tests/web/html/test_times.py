"""Times: relative, with the exact one on hover."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from functions_app.web.html.times import ago, built, exact

pytestmark = pytest.mark.shows_dates
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "just now"),
        (40, "40 s ago"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (100_000, "27 h ago"),
        (200_000, "2 d ago"),
        (70_000_000, "2 y ago"),
        (-240, "in 4 min"),
    ],
)
def test_a_time_is_relative_with_the_exact_one_on_hover(seconds: int, text: str) -> None:
    then = NOW - timedelta(seconds=seconds)
    shown = ago(then, NOW)
    assert f">{text}</time>" in shown
    assert f'title="{then:%Y-%m-%d %H:%M:%S} UTC"' in shown


def test_no_time_is_never() -> None:
    assert "never" in ago(None)


def test_the_exact_time_is_utc_wherever_it_was_taken() -> None:
    assert exact(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-03-01 12:00:00 UTC"


@pytest.mark.parametrize("year", [1, 1970, 1980, 2030])
def test_a_time_of_building_that_cannot_be_is_not_told(year: int) -> None:
    there = datetime(2026, 11, 20, tzinfo=UTC)
    assert built(datetime(year, 1, 1, tzinfo=UTC), there) == '<span class="muted">not told</span>'
    assert built(None) == '<span class="muted">not told</span>'


def test_a_time_of_building_is_as_long_ago_as_any_other() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    assert built(at, datetime(2026, 11, 20, tzinfo=UTC)) == ago(at)
