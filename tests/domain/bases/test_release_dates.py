"""When releases came about: by the time they were built where that can be believed, else by when they were there."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.bases.release_dates import Sighting, came_about, told

pytestmark = pytest.mark.shows_dates

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIXED = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "built",
    [
        None,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1980, 1, 1, tzinfo=UTC),
        datetime(2013, 1, 1, tzinfo=UTC),
        NOW + 2 * DAY,
        datetime(2030, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_time_that_cannot_be_is_not_told_and_the_release_came_when_it_was_there(built: datetime | None) -> None:
    assert told(built, NOW) is None
    assert came_about([Sighting(built, NOW)]) == (NOW,)


@pytest.mark.parametrize("built", [NOW - 9 * DAY, NOW, NOW + timedelta(hours=1), datetime(2014, 1, 1, tzinfo=UTC)])
def test_a_time_that_can_be_is_when_it_came(built: datetime) -> None:
    assert told(built, NOW) == built
    assert came_about([Sighting(built, NOW)]) == (built,)


def test_a_time_that_two_releases_tell_is_neithers() -> None:
    first = Sighting(FIXED, NOW - 30 * DAY, at=FIXED)

    assert came_about([first, Sighting(FIXED, NOW, current=True)]) == (NOW - 30 * DAY, NOW)


def test_a_third_release_of_that_time_moves_neither_of_the_others() -> None:
    before = [Sighting(FIXED, at, at=at) for at in (NOW - 30 * DAY, NOW - 9 * DAY)]

    assert came_about([*before, Sighting(FIXED, NOW, current=True)]) == (NOW - 30 * DAY, NOW - 9 * DAY, NOW)


def test_what_became_current_after_another_is_newer_although_it_was_built_before() -> None:
    known = Sighting(NOW - 10 * DAY, NOW - 9 * DAY, at=NOW - 10 * DAY)

    assert came_about([known, Sighting(NOW - 20 * DAY, NOW, current=True)]) == (NOW - 10 * DAY, NOW)


def test_an_older_release_that_is_found_later_stays_older() -> None:
    known = Sighting(NOW - 10 * DAY, NOW - 9 * DAY, at=NOW - 10 * DAY, current=True, rank=0)

    assert came_about([known, Sighting(NOW - 20 * DAY, NOW, rank=1)]) == (NOW - 10 * DAY, NOW - 20 * DAY)


@pytest.mark.parametrize("built", [None, FIXED, datetime(1980, 1, 1, tzinfo=UTC)], ids=str)
def test_those_found_at_once_are_ordered_by_their_tags(built: datetime | None) -> None:
    newest, middle, oldest = (Sighting(built, NOW, rank=rank, current=not rank) for rank in range(3))

    found = came_about([oldest, newest, middle])

    assert NOW - timedelta(seconds=1) < found[0] < found[2] < found[1] == NOW


def test_what_is_found_later_is_before_those_that_are_newer_by_their_tags() -> None:
    current = Sighting(None, NOW - 9 * DAY, at=NOW - 9 * DAY, current=True, rank=0)
    older = Sighting(None, NOW, rank=1)

    assert came_about([current, older])[1] < NOW - 9 * DAY


def test_what_was_worked_out_stays_when_its_tag_is_gone() -> None:
    at = NOW - timedelta(microseconds=3)

    assert came_about([Sighting(None, NOW, at=at), Sighting(None, NOW + DAY, current=True, rank=0)]) == (at, NOW + DAY)
