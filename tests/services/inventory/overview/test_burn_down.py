"""What the burn-down says in words."""

from datetime import date, timedelta

from functions_app.services.inventory.overview.burn_down import BurnDown, Day

FIRST = date(2026, 3, 1)


def trend(*totals: int | None) -> str:
    """The words for so many stale functions, day by day; None: not counted."""
    days = [None if total is None else Day(FIRST + timedelta(at), (total,), 0) for at, total in enumerate(totals)]
    return BurnDown(FIRST, ("python:3.12",), tuple(days)).trend


def test_a_first_day_has_nothing_to_compare_with() -> None:
    assert trend(None, 4) == "today. The chart grows by a day each day: tomorrow there is something to compare."


def test_the_latest_day_is_compared_with_the_earliest() -> None:
    assert trend(5, 3) == "now, 2 fewer than on 2026-03-01."
    assert trend(3, 5) == "now, 2 more than on 2026-03-01."
    assert trend(None, 3, 4, 3) == "now, as many as on 2026-03-02."


def test_days_that_were_not_counted_are_said() -> None:
    assert trend(5, None, 3) == "now, 2 fewer than on 2026-03-01. 1 day between was not counted."
    assert trend(3, None, None, 3) == "now, as many as on 2026-03-01. 2 days between were not counted."


def test_computed_days_are_compared_with_and_said_to_be_computed() -> None:
    days = (Day(FIRST, (7,), 0, computed=True), None, Day(FIRST + timedelta(2), (4,), 0))
    found = BurnDown(FIRST, ("python:3.12",), days)
    assert found.trend == "now, 3 fewer than on 2026-03-01, by what can be computed."


def test_no_day_says_nothing() -> None:
    assert trend(None, None) == ""
