"""When an approver is asked: by the account's setting, for production alone."""

import pytest

from functions_app.domain.changes.approvals import Approval, approval_due


@pytest.mark.parametrize(
    ("setting", "person", "bot"),
    [(Approval.NEVER, False, False), (Approval.BOTS, False, True), (Approval.ALWAYS, True, True), ("?", True, True)],
)
def test_who_needs_one_in_production_follows_from_the_setting(setting: str, person: bool, bot: bool) -> None:
    assert approval_due(setting, production=True, bot=False) is person
    assert approval_due(setting, production=True, bot=True) is bot


@pytest.mark.parametrize("setting", [*Approval, "?"])
def test_nobody_needs_one_elsewhere(setting: str) -> None:
    assert not approval_due(setting, production=False, bot=True)
