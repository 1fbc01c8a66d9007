"""What a frozen plan of a patch says of itself."""

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
