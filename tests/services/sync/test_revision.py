"""What open pages are told by a sync: that a function is gone, that a region can't be read, and nothing for nothing."""

from typing import Any

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.models import Account, FleetRevision, Function
from functions_app.services.sync.refresh import refresh_function
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> bool:
    """Whether pages are told by the next sync."""
    before = FleetRevision.objects.get().revision
    run_once(Lines(), person=False)
    return FleetRevision.objects.get().revision > before


@pytest.fixture(autouse=True)
def synced(functions: Functions, ours: Account) -> None:
    """Two functions that are known; nothing is left to be read of them."""
    functions.push()
    for name in ("one", "two"):
        functions.create(name)
        functions.settled(name)
    run_once(Lines())
    assert not told()


def test_that_a_function_is_gone_is_told_once(functions: Functions) -> None:
    functions.api.delete_function(FunctionName="one")
    assert told()
    assert not told()


def test_that_one_is_gone_which_somebody_had_read_is_told(functions: Functions) -> None:
    functions.api.delete_function(FunctionName="one")
    before = FleetRevision.objects.get().revision
    with pytest.raises(DrydockError):
        refresh_function(Function.objects.select_related("account").get(name="one"))
    assert FleetRevision.objects.get().revision > before


def test_that_a_region_cannot_be_read_is_told_and_that_it_can_be_read_again(
    ours: Account, aws: Sandbox, denied: Any
) -> None:
    denied(ours.account_id, "lambda:ListFunctions")
    assert told()
    assert not told()
    aws.admin("DELETE", f"denials?account={ours.account_id}")
    assert told()
