"""The one table of how statuses look: nothing is missing, and every icon can be drawn."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
from django.conf import settings

from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.patching.patch_lists import Way
from functions_app.domain.images.scans import SEVERITIES, ScanState, Side
from functions_app.domain.runs import Status, StepStatus
from functions_app.services.inventory.bases.base_list import Standing
from functions_app.web.html.looks import LOOKS, Attention, FunctionState, Severity, look

COLOURS = {"good", "warn", "bad", "info", "calm", "plain"}
EVERY = [member for kind in LOOKS for member in kind]
SPRITE = Path(settings.BASE_DIR, "static/vendor/tabler-icons/icons.svg")


def test_every_enum_that_pages_show_is_in_the_table() -> None:
    assert {Freshness, Standing, Tier, Status, StepStatus, ScanState, Side, Way} <= set(LOOKS)


@pytest.mark.parametrize("member", EVERY, ids=repr)
def test_every_member_has_a_word_an_icon_and_a_colour(member: StrEnum) -> None:
    found = LOOKS[type(member)][member]
    assert found.word
    assert found.colour in COLOURS
    assert f'<symbol id="{found.icon}"' in SPRITE.read_text(encoding="utf-8")


def test_nothing_in_the_table_stands_for_no_member() -> None:
    assert all(set(looks) == set(kind) for kind, looks in LOOKS.items())


def test_equal_values_of_two_enums_look_as_their_own_enum_says() -> None:
    assert Side.UNKNOWN.value == Freshness.UNKNOWN.value
    assert (look(Side, "unknown").word, look(Freshness, "unknown").word) == ("not known", "Unknown")
    assert (look(FunctionState, "Failed").word, look(Status, "failed").icon) == ("Failed", "circle-x")


@pytest.mark.parametrize("kind", [FunctionState, Severity, Freshness])
def test_a_value_nobody_knows_is_calm_and_says_itself(kind: type[StrEnum]) -> None:
    found = look(kind, "Hibernating")
    assert (found.word, found.colour) == ("Hibernating", "calm")
    assert f'<symbol id="{found.icon}"' in SPRITE.read_text(encoding="utf-8")


def test_a_value_that_is_missing_has_a_word_too() -> None:
    assert look(Freshness, "").word == "Unknown"
    assert look(FunctionState, "").word == "Not read yet"


def test_severities_are_those_that_scans_know() -> None:
    assert tuple(Severity) == SEVERITIES


def test_what_is_worse_never_looks_better() -> None:
    order = ["good", "calm", "warn", "bad"]
    by_severity = [look(Freshness, each).colour for each in sorted(Freshness, key=lambda each: each.severity)]
    assert by_severity == order
    assert [look(Attention, each).colour for each in (Attention.ENDED, Attention.ENDING)] == ["bad", "warn"]


def test_words_are_words() -> None:
    assert all(re.fullmatch(r"[\w' ]+", found.word) for looks in LOOKS.values() for found in looks.values())
