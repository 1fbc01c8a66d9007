"""Each part of a function has its age; one age tells that of all only where it does."""

from datetime import timedelta

from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.parts import Part, PartAge, ages, oldest, read_together, unread
from tests.factories import NOW

DENIED = Problem(Code.DENIED, "The permission lambda:ListAliases is missing. User: arn:aws:iam::1:role/x")
EARLIER = NOW - timedelta(minutes=5)


def test_parts_of_one_reading_have_one_age() -> None:
    parts = [PartAge(Part.SETTINGS, NOW), PartAge(Part.ALIASES, NOW - timedelta(seconds=3))]
    assert read_together(parts)
    assert oldest(parts) == NOW - timedelta(seconds=3)
    assert unread(parts) == ""


def test_parts_of_two_readings_have_each_their_own() -> None:
    assert not read_together([PartAge(Part.SETTINGS, NOW), PartAge(Part.ALIASES, EARLIER)])


def test_a_part_that_failed_just_now_is_not_as_fresh_as_the_others() -> None:
    parts = [PartAge(Part.SETTINGS, NOW), PartAge(Part.ALIASES, NOW, DENIED)]
    assert not read_together(parts)
    assert unread(parts) == "Aliases could not be read again: The permission lambda:ListAliases is missing."


def test_a_part_that_was_never_read_has_no_age() -> None:
    parts = [PartAge(Part.SETTINGS, NOW), PartAge(Part.DETAILS, None)]
    assert oldest(parts) is None
    assert unread(parts) == "State and tags not read yet."
    assert unread([PartAge(Part.DETAILS, None, DENIED)]).startswith("State and tags could not be read: ")


def test_what_is_kept_of_failures_is_read_back() -> None:
    kept = {"aliases": {"problem": DENIED.as_json(), "tried_at": NOW.isoformat()}}
    settings, aliases = ages([(Part.SETTINGS, NOW), (Part.ALIASES, EARLIER)], kept)
    assert (settings.problem, aliases.problem) == (None, DENIED)
