"""Colours of accounts: none looks like a status, neither one of today's nor one that was stored earlier."""

import re
from pathlib import Path

import pytest

from functions_app.domain.fleet.account_colours import COLOURS, EARLIER, account_colour, is_clear, next_colour

CSS = (Path(__file__).parents[3] / "static" / "app.css").read_text(encoding="utf-8")
STATUSES = re.findall(r"--dd-(?:good|warn|bad): (#[0-9a-f]{6})", CSS)  # of both themes


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_keeps_clear_of_red_amber_and_green(name: str) -> None:
    assert len(STATUSES) == 6
    assert is_clear(COLOURS[name], STATUSES)


@pytest.mark.parametrize(
    "colour", ["#d63939", "#d6336c", "#f76707", "#f59f00", "#74b816", "#2fb344", "#0ca678", "#b3261e", "#15703c"]
)
def test_red_pink_orange_yellow_lime_green_and_teal_look_like_a_status(colour: str) -> None:
    assert not is_clear(colour, STATUSES)


def test_the_page_draws_each_in_that_colour() -> None:
    assert dict(re.findall(r"\.dot\.(\w+) \{ background: (#[0-9a-f]{6}); \}", CSS)) == COLOURS


@pytest.mark.parametrize(
    ("stored", "shown"), [("red", "magenta"), ("green", "indigo"), ("nonsense", "blue"), ("", "blue")]
)
def test_what_was_stored_earlier_is_shown_as_one_of_them(stored: str, shown: str) -> None:
    assert account_colour(stored) == shown


def test_all_colours_of_earlier_have_one_now_and_no_other_name_changes() -> None:
    assert set(EARLIER.values()) <= COLOURS.keys()
    assert not EARLIER.keys() & COLOURS.keys()


def test_one_more_account_gets_a_colour_that_none_has() -> None:
    assert next_colour([]) == "blue"
    assert next_colour(["blue", "orange"]) == "cyan"
    assert next_colour([*COLOURS, "blue"]) == "violet"
