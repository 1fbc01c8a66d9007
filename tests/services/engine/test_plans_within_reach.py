"""A plan is made, shown and applied through a token that gets to all it changes, whichever token it was made with."""

from dataclasses import replace
from typing import Any

import pytest

from functions_app.domain.changes.approvals import Approval
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import Reach
from functions_app.models import AuditEntry, Function, Plan, Run
from functions_app.services.engine import approvals, plans
from functions_app.services.engine.plans import Draft
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.factories import digest, make_account, make_function
from tests.patch_plans import make_golden_patch, make_patch_plan
from tests.services.engine.test_plans import Move

pytestmark = pytest.mark.django_db

OWN, OTHER = "111111111111", "222222222222"
HERE, THERE = (f"{number}.dkr.ecr.eu-west-1.amazonaws.com" for number in (OWN, OTHER))
THIS_ACCOUNT, THIS_FUNCTION = Reach(frozenset({OWN})), Reach(functions=("orders",))
BOTH_ACCOUNTS = Reach(frozenset({OWN, OTHER}))

BEYOND = {
    "a golden image in another account": (
        {"golden": (make_golden_patch(image_uri=f"{THERE}/golden@{digest('made')}"),)},
        THIS_ACCOUNT,
        f"changes the golden image platform/golden:stable too, and this token does not get to the account {OTHER}",
    ),
    "a golden image, upon which other functions stand": (
        {"golden": (make_golden_patch(),)},
        THIS_FUNCTION,
        "changes the golden image platform/golden:stable too, and this token was made for some functions alone",
    ),
    "the second of two golden images": (
        {"golden": (make_golden_patch(), make_golden_patch(name="team", image_uri=f"{THERE}/team@{digest('made')}"))},
        THIS_ACCOUNT,
        f"changes the golden image team too, and this token does not get to the account {OTHER}",
    ),
    "its repository in another account": (
        {"image_uri": f"{THERE}/shared/orders@{digest('patched')}"},
        THIS_ACCOUNT,
        f"changes repository shared/orders too, and this token does not get to the account {OTHER}",
    ),
}
WITHIN = {
    "its own repository alone, for the function by its name": ({}, THIS_FUNCTION),
    "its own repository alone, for its account": ({}, THIS_ACCOUNT),
    "a golden image in its account, for that": ({"golden": (make_golden_patch(),)}, THIS_ACCOUNT),
    "a golden image, for functions of any name": ({"golden": (make_golden_patch(),)}, Reach(functions=("*",))),
    "its repository in another account, for both": ({"image_uri": f"{THERE}/x@{digest('patched')}"}, BOTH_ACCOUNTS),
}
beyond = pytest.mark.parametrize(("given", "reach", "why"), BEYOND.values(), ids=BEYOND)
within = pytest.mark.parametrize(("given", "reach"), WITHIN.values(), ids=WITHIN)


@pytest.fixture
def function(valkey: Valkey) -> Function:
    return make_function(make_account(account_id=OWN), "orders")


def through(operator: Actor, reach: Reach) -> Actor:
    """The same person, by a token that gets so far."""
    return replace(operator, via="token narrow", reach=reach)


def make(actor: Actor, function: Function, given: Any) -> Plan:
    frozen: PatchPlan = make_patch_plan(function, **given)
    return plans.make(Kind.PATCH, function.arn, {}, actor, lambda: Draft(frozen, function, function.arn)).confirmable()


@beyond
def test_is_not_made_where_it_would_change_more(
    operator: Actor, function: Function, given: Any, reach: Reach, why: str
) -> None:
    with pytest.raises(DrydockError, match=why) as caught:
        make(through(operator, reach), function, given)
    assert caught.value.problem.code is Code.DENIED
    assert not Plan.objects.exists()
    assert AuditEntry.objects.get().result.startswith("refused: This changes")


@beyond
def test_is_not_applied_through_a_narrower_token_than_made_it_and_is_still_there_for_that(
    operator: Actor, function: Function, given: Any, reach: Reach, why: str
) -> None:
    wide = replace(operator, via="token wide", reach=BOTH_ACCOUNTS)
    stored = make(wide, function, given)
    for attempt in (plans.apply, plans.load):
        with pytest.raises(DrydockError, match=why) as caught:
            attempt(stored.pk, through(operator, reach))
        assert caught.value.problem.code is Code.DENIED
    assert not Run.objects.exists()
    assert AuditEntry.objects.get(action="patch.apply").via == "token narrow"
    assert plans.apply(stored.pk, wide).made_from == stored


@within
def test_is_made_and_applied_where_all_of_it_is_within(
    operator: Actor, function: Function, given: Any, reach: Reach
) -> None:
    token = through(operator, reach)
    assert plans.apply(make(token, function, given).pk, token).function == function


@pytest.mark.parametrize("kind", [Kind.DEPLOYMENT, Kind.ROLLBACK, Kind.UNDO, Kind.INVOCATION])
def test_of_a_function_out_of_reach_is_as_if_it_were_not_there(operator: Actor, function: Function, kind: Kind) -> None:
    stored = plans.make(kind, function.arn, {}, operator, lambda: Draft(Move(), function)).confirmable()
    for attempt in (plans.apply, plans.load):
        with pytest.raises(DrydockError) as caught:
            attempt(stored.pk, through(operator, Reach(functions=("billing-*",))))
        assert caught.value.problem.code is Code.NOT_FOUND


def test_where_an_approval_is_asked_an_approver_has_to_get_to_all_of_it_too(
    operator: Actor, approver: Actor, function: Function
) -> None:
    function.account.approval = Approval.ALWAYS
    frozen = make_patch_plan(function, golden=(make_golden_patch(),))
    stored = plans.make(
        Kind.PATCH, function.arn, {}, operator, lambda: Draft(frozen, function, confirmation="live")
    ).confirmable()
    approvals.confirm(stored.pk, operator, "live")
    with pytest.raises(DrydockError, match="was made for some functions alone"):
        approvals.approve(stored.pk, through(approver, THIS_FUNCTION))
    assert approvals.approve(stored.pk, approver).actor == approver.person
