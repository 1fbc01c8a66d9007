"""How far apart the bases of two images are, in a sentence that claims nothing it can't know."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.bases.distances import Stand, apart

DAY = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW = Stand("python:3.12", 1, DAY), Stand("python:3.12", 2, DAY + timedelta(days=41))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (OLD, NEW, "The second stands on a newer release of python:3.12: 3 releases, 41 days."),
        (NEW, OLD, "The second stands on an older release of python:3.12: 3 releases, 41 days."),
        (OLD, OLD, "Both stand on the same release of python:3.12."),
        (OLD, Stand("java:21", 9, DAY), "They stand on different bases: python:3.12 and java:21."),
        (OLD, Stand("python:3.12", None), "Both stand on python:3.12; on which of its releases is not known of both"),
        (None, NEW, "Of the first image a base is not known"),
        (OLD, None, "Of the second image a base is not known"),
        (None, None, "Of neither image a base is known"),
    ],
)
def test_the_sentence(old: Stand | None, new: Stand | None, said: str) -> None:
    assert said in apart(old, new, 3)
