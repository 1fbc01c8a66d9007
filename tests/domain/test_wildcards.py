"""Patterns with * and ?."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.wildcards import wildcard


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("ecr:*", "ecr:BatchGetImage", True),
        ("*a*b", "xaxbxb", True),
        ("*ab", "aab", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*a", "a", False),
        ("[a-z]", "b", False),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
    ],
)
def test_a_star_is_any_text_and_a_question_mark_any_character(pattern: str, text: str, fits: bool) -> None:
    assert (wildcard(pattern).fullmatch(text) is not None) is fits


def test_a_question_mark_may_stand_for_itself() -> None:
    assert wildcard("a?", single=False).fullmatch("a?")
    assert not wildcard("a?", single=False).fullmatch("ab")


def fits(pattern: str, text: str) -> bool:
    """The same, by the definition."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return fits(pattern[1:], text) or (bool(text) and fits(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_every_pattern_fits_what_it_means(pattern: str, text: str) -> None:
    assert (wildcard(pattern).fullmatch(text) is not None) == fits(pattern, text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["*", "*a", "a*", "*?", "?*a"])
def test_a_pattern_of_endless_stars_takes_no_time(unit: str) -> None:
    assert not wildcard(unit * 1000 + "b").fullmatch("a" * 300)
