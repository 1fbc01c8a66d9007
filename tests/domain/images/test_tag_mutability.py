"""Four modes of tags with their filters, in words; an unknown mode or filter is named and not trusted."""

from itertools import product

import pytest
from botocore.session import get_session

from functions_app.domain.images.tag_mutability import MODES, TagFilter, TagMutability, Tags

LATEST = (TagFilter("WILDCARD", "latest*"),)
TWO = (*LATEST, TagFilter("WILDCARD", "*-rc.*"))
FIXED = "A tag, once pushed, can't be moved"
UNKNOWN = "Whether tags can be moved is not known: ECR"
TABLE = [
    ("MUTABLE", (), Tags.MOVE, "Tags can be moved to another image."),
    ("IMMUTABLE", (), Tags.FIXED, f"{FIXED}."),
    ("MUTABLE_WITH_EXCLUSION", LATEST, Tags.MOSTLY_MOVE, "Tags can be moved to another image, but not latest*."),
    ("IMMUTABLE_WITH_EXCLUSION", TWO, Tags.MOSTLY_FIXED, f"{FIXED}, except latest* and *-rc.*."),
    ("IMMUTABLE_WITH_EXCLUSION", (), Tags.MOSTLY_FIXED, f"{FIXED}, except some that ECR does not name."),
    ("IMMUTABLE_WITH_EXCLUSION", (TagFilter("REGEX", "l"),), Tags.MOSTLY_FIXED, f"{FIXED}, except l (REGEX)."),
    ("", (), Tags.NOT_KNOWN, f"{UNKNOWN} did not tell, or was not asked yet."),
    ("FROZEN", (), Tags.NOT_KNOWN, f"{UNKNOWN} says FROZEN, which Drydock does not know."),
]


@pytest.mark.parametrize(("mode", "filters", "tags", "words"), TABLE)
def test_each_mode_has_its_sentence(mode: str, filters: tuple[TagFilter, ...], tags: Tags, words: str) -> None:
    found = TagMutability(mode, filters)
    assert (found.tags, found.words) == (tags, words)


@pytest.mark.parametrize(
    ("mode", "filters", "latest", "other"),
    [
        ("MUTABLE", (), True, True),
        ("IMMUTABLE", (), False, False),
        ("MUTABLE_WITH_EXCLUSION", LATEST, False, True),
        ("IMMUTABLE_WITH_EXCLUSION", LATEST, True, False),
        ("IMMUTABLE_WITH_EXCLUSION", (), None, None),
        ("IMMUTABLE_WITH_EXCLUSION", (TagFilter("REGEX", "l.*"),), None, None),
        ("IMMUTABLE_WITH_EXCLUSION", (*LATEST, TagFilter("REGEX", "l.*")), True, None),
        ("", (), None, None),
        ("FROZEN", LATEST, None, None),
    ],
)
def test_a_single_tag_can_move_or_not_or_nobody_knows(
    mode: str, filters: tuple[TagFilter, ...], latest: bool | None, other: bool | None
) -> None:
    found = TagMutability(mode, filters)
    assert (found.can_move("latest-eu"), found.can_move("v1")) == (latest, other)


@pytest.mark.parametrize(
    ("pattern", "tag", "fits"),
    [
        ("latest", "latest", True),
        ("latest", "latest-eu", False),
        ("v1.*", "v1.2", True),
        ("v1.*", "v1x2", False),
        ("*", "anything", True),
        ("*-rc.*", "1.0-rc.1", True),
    ],
)
def test_in_a_filter_only_the_star_is_special(pattern: str, tag: str, fits: bool) -> None:
    assert TagFilter("WILDCARD", pattern).matches(tag) is fits


def test_every_row_and_every_mode_of_the_model_has_its_example() -> None:
    modes = get_session().get_service_model("ecr").shape_for("ImageTagMutability").enum  # type: ignore[attr-defined]
    assert set(modes) == MODES.keys() <= {row[0] for row in TABLE}


def test_what_is_stored_is_read_back() -> None:
    for mode, filters in product(("IMMUTABLE_WITH_EXCLUSION", ""), ((), TWO)):
        found = TagMutability(mode, filters)
        assert TagMutability.from_stored(mode, found.filters_json()) == found
