"""A stream's own pattern for the tags of its releases: what it matches, what it orders by, what it may not be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.release_tags import TagRule, history_tags
from functions_app.domain.bases.tag_patterns import PARTS, check, compiled


@pytest.mark.parametrize(
    ("pattern", "tags", "found"),
    [
        ("3.12-{timestamp}", ["3.12-1760000000", "3.12-1750000000", "3.12-7"], ["3.12-1760000000", "3.12-1750000000"]),
        ("{number}.{timestamp}", ["949.1726694542", "1227.1714662671"], ["1227.1714662671", "949.1726694542"]),
        ("3.12-r{number}", ["3.12-r5", "3.12-r10", "3.12-5"], ["3.12-r10", "3.12-r5"]),
        ("3.12-{build}", ["3.12-r5", "3.12-build.7", "3.12-5"], ["3.12-build.7", "3.12-r5"]),
        ("{date}-{text}", ["20261003-4f2a1c9", "20261101-main", "20261101"], ["20261101-main", "20261003-4f2a1c9"]),
        ("{date}.{number}", ["20261003.2", "20261003.10"], ["20261003.10", "20261003.2"]),
        ("base-{number}.{number}", ["base-1.4", "base-1.10", "base-1.4.2", "1.4"], ["base-1.10", "base-1.4"]),
        # What no rule of ours takes for a release: candidates, one architecture.
        ("{number}.{number}-rc{number}", ["1.4-rc1", "1.4-rc2", "1.4"], ["1.4-rc2", "1.4-rc1"]),
        ("{number}-arm64", ["7-arm64", "8-arm64", "8-amd64"], ["8-arm64", "7-arm64"]),
    ],
)  # fmt: skip
def test_a_pattern_of_its_own_says_which_tags_are_releases_and_orders_them(
    pattern: str, tags: list[str], found: list[str]
) -> None:
    assert history_tags(tags, "3.12", 20, own=True, pattern=pattern) == found


def test_with_a_pattern_nothing_else_is_taken_for_a_release() -> None:
    assert history_tags(["latest", "1.4.2", "2026.10.03"], "latest", 20, own=True, pattern="base-{number}") == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_named(part: str) -> None:
    assert compiled(f"x-{{{part}}}").groups == 1


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("1.4", "needs a part"),
        ("{text}", "needs a part"),
        ("{number", "brace"),
        ("number}", "brace"),
        ("{{number}}", "brace"),
        ("{semver}", "{semver} is no part. There are {date}, {timestamp}, {build}, {number}, {text}."),
        ("{number}{number}", "Between two parts"),
        ("{number}7{number}", "Between two parts"),
        ("{text}{number}", "Between two parts"),
        ("{text}-{number}-{text}", "{text} once"),
        ("-".join(["{number}"] * 9), "at most 8 parts"),
        ("(a+)+{number}", "letters, digits, dots"),
        (".*-{number}", "letters, digits, dots"),
        ("^{number}$", "letters, digits, dots"),
        ("{number}-" + "a" * 200, "at most 200 characters"),
    ],
)
def test_what_cannot_be_a_pattern_is_refused_and_told_why(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        check(pattern)


PIECES = ["{number}", "{text}", "{date}", "{build}", "{timestamp}", "-", ".", "1", "a", "{", "}"]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_whatever_is_typed_is_refused_or_matches_any_tag_in_few_steps(pattern: str) -> None:
    try:
        check(pattern)
    except ValueError:
        return
    for tag in ("1" * 128, "1-" * 64, "1." * 64, "a" * 128, "-" * 128, "20261003" * 16):
        TagRule("latest", own=True, pattern=pattern).history([tag] * 50)
