"""What a frozen plan of a patch says of itself."""

from dataclasses import replace

from functions_app.domain.changes.configurations import Difference
from functions_app.domain.images.lambda_rules import Check
from tests.patch_plans import make_patch_plan

DIFFERS = (Difference("Timeout", "3 s", "7 s"),)
OTHERWISE = Check("$LATEST", False, "$LATEST is configured otherwise than what is live (Timeout).")
UNSAFE = Check("Safety", False, "The app overrides code that changed between the bases.")


def test_leaving_latest_as_it_is_is_offered_where_nothing_else_forbids_the_patch() -> None:
    assert make_patch_plan(differs=DIFFERS, checks=(OTHERWISE,)).may_keep_latest
    assert not make_patch_plan(differs=DIFFERS, checks=(UNSAFE, OTHERWISE)).may_keep_latest


def test_it_is_not_offered_where_nothing_differs_or_no_alias_would_be_moved() -> None:
    assert not make_patch_plan().may_keep_latest
    assert not make_patch_plan(differs=DIFFERS, checks=(OTHERWISE,), aliases=()).may_keep_latest


def test_an_undo_is_one_click_only_where_nothing_is_to_be_typed() -> None:
    production = make_patch_plan()
    assert "type live there" in production.undo()
    assert "one click" not in production.undo()
    (alias,) = production.aliases
    assert "one click" in make_patch_plan(aliases=(replace(alias, production=False),)).undo()
