"""The days on which the marked suites run again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests import days

NOW = datetime(2026, 11, 28, 12, 18, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (days.next_turn_of_the_year, datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)),
        (days.next_leap_day, datetime(2028, 2, 29, 12, tzinfo=UTC)),
        (days.next_dst_night, datetime(2027, 3, 28, 0, 59, 30, tzinfo=UTC)),
    ],
)
def test_the_next_such_day_is_found_and_once_it_came_the_one_after(
    after: Callable[[datetime], datetime], expected: datetime
) -> None:
    assert after(NOW) == expected
    assert after(expected - timedelta(seconds=1)) == expected
    assert after(expected) > expected + timedelta(days=300)


def test_a_century_that_is_no_leap_year_is_passed_over() -> None:
    assert days.next_leap_day(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("day", days.DAYS, ids=lambda day: day.name)
def test_a_pass_begins_on_its_moment(day: days.Day) -> None:
    environment = day.environment(NOW)

    assert NOW + timedelta(seconds=float(environment["DRYDOCK_CLOCK_AHEAD"])) == day.after(NOW)
    assert environment["TZ"] == day.zone
    assert "DATABASE_URL" not in environment


def test_what_shows_dates_is_marked() -> None:
    assert any(path.endswith("web/overview/test_overview.py") for path in days.marked())
