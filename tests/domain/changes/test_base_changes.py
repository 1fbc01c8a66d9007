"""What becomes of the base when one image takes another's place."""

import pytest

from functions_app.domain.changes.base_changes import Base, Step, base_change, counted

PLACES = {1: 0, 2: 1, 3: 2, 4: 3, 5: 3}  # 5 has the layers of 4, released again
STREAM = "python:3.12"


@pytest.mark.parametrize(
    ("before", "after", "step", "text"),
    [
        (Base(STREAM, 1), Base(STREAM, 2), Step.NEWER, "base one release newer"),
        (Base(STREAM, 1), Base(STREAM, 4), Step.NEWER, "base three releases newer"),
        (Base(STREAM, 3), Base(STREAM, 1), Step.OLDER, "base two releases older"),
        (Base(STREAM, 2), Base(STREAM, 2), Step.SAME, "base unchanged"),
        (Base(STREAM, 4), Base(STREAM, 5), Step.SAME, "base unchanged"),
        (Base(STREAM, 2), Base(STREAM, 9), Step.SIDEWAYS, "another release of its base python:3.12"),
        (Base(STREAM, 2), Base("nodejs:22", 7), Step.OTHER, "another base (nodejs:22 instead of python:3.12)"),
        (Base(STREAM, 2), Base(STREAM, None), Step.UNKNOWN, "release of its base python:3.12 not known"),
        (Base(), Base(STREAM, 2), Step.UNKNOWN, "base not known"),
        (Base(STREAM, 2), Base(), Step.UNKNOWN, "base not known"),
        (Base(), Base(), Step.UNKNOWN, "base not known"),
    ],
)
def test_the_step_from_one_base_to_another_has_its_words(before: Base, after: Base, step: Step, text: str) -> None:
    change = base_change(before, after, PLACES)
    assert (change.step, change.text) == (step, text)


def test_many_releases_are_counted_in_digits() -> None:
    assert (counted(1, "release"), counted(12, "release")) == ("one release", "12 releases")


def test_a_base_says_what_it_is_and_what_is_not_known_of_it() -> None:
    assert str(Base(STREAM, 3, "3.12.2026.10.03.13")) == "python:3.12 3.12.2026.10.03.13"
    assert str(Base(STREAM)) == "python:3.12, an unknown release"
    assert str(Base()) == "not known"
