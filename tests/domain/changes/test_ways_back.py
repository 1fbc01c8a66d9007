"""Which versions an alias could go back to."""

import pytest

from functions_app.domain.changes.ways_back import WaysBack, count_ways_back, is_way_back


@pytest.mark.parametrize(
    ("number", "current", "seen", "way"),
    [
        ("3", "5", set(), True),  # published earlier
        ("6", "5", {"6"}, True),  # newer, and it was live before somebody went back
        ("6", "5", set(), False),  # newer and never live: that would be a deploy
        ("5", "5", {"5"}, False),
        ("$LATEST", "5", {"$LATEST"}, False),  # what it was then, it may not be now
        ("5", "$LATEST", set(), True),
        ("9", "10", set(), True),  # numbers, not words
        ("", "5", {""}, False),  # the alias was deleted then
    ],
)
def test_going_back_is_to_what_was_live_or_published_earlier(
    number: str, current: str, seen: set[str], way: bool
) -> None:
    assert is_way_back(number, current, seen) is way


def test_versions_whose_image_is_gone_are_counted_as_lost() -> None:
    versions = [("1", False), ("2", True), ("3", True), ("4", True)]
    assert count_ways_back("4", set(), versions) == WaysBack(available=2, lost=1, unread=0)


def test_versions_of_whose_image_nothing_is_known_are_neither_there_nor_lost() -> None:
    assert count_ways_back("3", set(), [("1", None), ("2", None)]) == WaysBack(available=0, lost=0, unread=2)


def test_a_version_that_was_live_and_deleted_is_lost() -> None:
    assert count_ways_back("4", {"2"}, [("3", True), ("4", True)]) == WaysBack(1, 1, 0)


def test_a_first_version_has_nothing_to_go_back_to_and_lost_nothing() -> None:
    assert count_ways_back("1", set(), [("1", True)]) == WaysBack(0, 0, 0)
