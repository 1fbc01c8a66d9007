"""What the burn-down says in words."""

from datetime import date, timedelta

import pytest

from functions_app.models import FreshnessDay
from functions_app.services.inventory.overview import burn_down as reading
from functions_app.services.inventory.overview.burn_down import BurnDown, Day, burn_down
from tests.factories import make_account

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


@pytest.mark.django_db
def test_an_account_alone_is_counted_as_all_are_where_there_is_no_other() -> None:
    account = make_account()
    for base, stale, computed in (("python:3.12", 3, True), ("nodejs:22", 0, False)):
        FreshnessDay.objects.create(
            account=account, day=FIRST, base_name=base, stale=stale, end_of_life=2, overdue=1, computed=computed
        )
    alone = burn_down(FIRST, 7, account.pk)
    assert alone.counted == (Day(FIRST, (5, 2), 2, computed=True),)
    assert alone == burn_down(FIRST, 7)


@pytest.mark.django_db
def test_many_bases_leave_all_but_the_largest_to_one_series_day_by_day() -> None:
    account, other = make_account(), make_account("other")
    counts = {f"base-{number}": (20 - number, number % 2) for number in range(9)} | {"fresh": (0, 0)}
    for base, (stale, late) in counts.items():
        for each, day in ((account, FIRST), (account, FIRST + timedelta(2)), (other, FIRST)):
            FreshnessDay.objects.create(account=each, day=day, base_name=base, stale=stale, overdue=late, current=7)
    found = burn_down(FIRST + timedelta(2), 3)
    assert found.series == ("base-0", "base-1", "base-2", "base-3", "base-4", "other bases")
    last = Day(FIRST + timedelta(2), (20, 19, 18, 17, 16, 15 + 14 + 13 + 12), 4)
    assert found.days == (Day(FIRST, tuple(2 * count for count in last.stale), 8), None, last)
    assert burn_down(FIRST + timedelta(2), 1, account.pk).days == (last,)


@pytest.mark.django_db
def test_a_day_on_which_nothing_was_stale_is_a_day_without_series() -> None:
    FreshnessDay.objects.create(account=make_account(), day=FIRST, base_name="python:3.12", current=3)
    assert burn_down(FIRST, 1) == BurnDown(FIRST, (), (Day(FIRST, (), 0),))


@pytest.mark.django_db
def test_a_base_that_is_counted_while_the_chart_is_read_is_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    FreshnessDay.objects.create(account=make_account(), day=FIRST, base_name="python:3.12", stale=3, overdue=1)
    monkeypatch.setattr(reading, "_series", lambda _: ())
    assert burn_down(FIRST, 1).days == (Day(FIRST, (), 1),)
