"""Ends of life: which comes first, and the days that are left."""

from datetime import UTC, date, datetime

import pytest

from functions_app.domain.bases.ends_of_life import End, Ends, days_left, ends_of

pytestmark = pytest.mark.shows_dates

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "left"),
    [(date(2026, 11, 20), 0), (date(2026, 11, 21), 1), (date(2027, 11, 20), 365), (date(2026, 11, 1), -19)],
)
def test_days_left_are_counted_by_the_calendar(day: date, left: int) -> None:
    assert days_left(day, NOON) == left


def test_the_first_end_is_told_with_what_ends() -> None:
    ends = Ends(date(2027, 6, 30), date(2027, 8, 31), date(2026, 6, 30), "al2")

    first, second = ends_of("acme/python:3.11", ends)
    assert first == End("os", date(2026, 6, 30), "Amazon Linux 2")
    assert second.what == "runtime"


@pytest.mark.parametrize("runtime", [date(2027, 6, 30), None], ids=["its own date", "no date told"])
@pytest.mark.parametrize("os", [date(2026, 6, 30), date(2029, 6, 30)], ids=["over", "to come"])
def test_for_lambdas_own_bases_the_day_of_the_os_never_decides(runtime: date | None, os: date) -> None:
    found = ends_of("java:17", Ends(runtime, None, os, "al2", lambdas_own=True))

    assert [(end.what, end.day) for end in found] == ([("runtime", runtime)] if runtime else [])


def test_a_day_from_which_updates_are_blocked_is_no_end_of_life() -> None:
    assert ends_of("dotnet:9", Ends(None, date(2027, 3, 3), None)) == ()


def test_an_os_without_a_known_name_is_told_as_such() -> None:
    assert Ends(os=date(2026, 1, 1)).os_title == "its operating system"
    assert Ends(os_name="debian12").os_title == "debian12"
