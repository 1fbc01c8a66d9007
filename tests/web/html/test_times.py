"""Times: relative, with the exact one on hover."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from functions_app.web.html.times import ago, exact

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
