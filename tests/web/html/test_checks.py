"""Checks as list items."""

import pytest

from functions_app.domain.images.lambda_rules import Check
from functions_app.web.html.checks import check_line, plan_check_line
from tests.web.html.hostile import ATTACK, harmless


@pytest.mark.parametrize(
    ("check", "colour", "word"),
    [
        (Check("Platform", True, "It fits."), "good", "Fine"),
        (Check("Platform", False, "It does not."), "bad", "Broken"),
        (Check("Platform", None, "Who knows."), "calm", "Not certain"),
        (Check("Size", False, "It is large.", "advice"), "warn", "Could be better"),
        (Check("Size", None, "Who knows.", "hint"), "calm", "To know"),
    ],
)
def test_a_rule_forbids_and_advice_only_minds(check: Check, colour: str, word: str) -> None:
    line = check_line(check)
    assert f'<span class="{colour}">' in line
    assert f'aria-label="{word}"' in line
    assert f"<b>{check.name}.</b> {check.text}" in line


@pytest.mark.parametrize(
    ("ok", "colour", "word"), [(True, "good", "Passed"), (None, "warn", "Mind"), (False, "bad", "Forbids it")]
)
def test_a_check_of_a_plan_passes_forbids_or_is_to_be_minded(ok: bool | None, colour: str, word: str) -> None:
    line = plan_check_line(Check("Permission", ok, "So it is."))
    assert f'<span class="{colour}">' in line
    assert f'aria-label="{word}"' in line


def test_no_check_lets_markup_through() -> None:
    assert harmless(check_line(Check(ATTACK, False, ATTACK)))
    assert harmless(plan_check_line(Check(ATTACK, None, ATTACK)))
