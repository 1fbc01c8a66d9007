"""A plan is shown and applied through a token that gets to all it changes; another of the same person made it."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.runs import Kind
from functions_app.models import Function, Plan, Run
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_function
from tests.patch_plans import make_golden_patch, make_patch_plan

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = ["read", "patch"]


@pytest.fixture
def function(valkey: Valkey) -> Function:
    return make_function(make_account(account_id="111111111111"), "orders")


@pytest.fixture
def plan(function: Function, operator: User) -> Plan:
    """A patch that begins with a golden image, planned by a token that gets everywhere."""
    frozen = make_patch_plan(function, golden=(make_golden_patch(),))
    wide = Actor(operator, "token wide")
    return plans.make(Kind.PATCH, function.arn, {}, wide, lambda: Draft(frozen, function)).confirmable()


def bot(operator: User, wanted: Wanted) -> Client:
    """A bot with such a token of that person."""
    made = tokens.make(wanted, Actor(operator))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.mark.parametrize(("functions", "status"), [(["billing-*"], 404), (["orders"], 403)])
def test_a_narrower_token_sees_and_applies_none(operator: User, plan: Plan, functions: list[str], status: int) -> None:
    narrow, address = bot(operator, Wanted("narrow", SCOPES, functions=functions)), f"/api/v1/plans/{plan.pk}"
    answers = [narrow.get(address), narrow.post(f"{address}/apply", "{}", content_type="application/json")]
    assert [answer.status_code for answer in answers] == [status, status]
    assert all("golden image" in json.loads(answer.content)["detail"] for answer in answers) == (status == 403)
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "listed"),
    [
        (Wanted("here", SCOPES, functions=["orders"]), False),
        (Wanted("there", SCOPES, functions=["billing-*"]), False),
        (Wanted("all", SCOPES, accounts=["111111111111"]), True),
    ],
)
def test_lists_name_those_alone_that_would_be_shown(operator: User, plan: Plan, wanted: Wanted, listed: bool) -> None:
    found = bot(operator, wanted).get("/api/v1/plans").json()
    assert (found["total"], [row["id"] for row in found["plans"]]) == ((1, [str(plan.pk)]) if listed else (0, []))


def test_one_that_gets_to_all_of_it_does(operator: User, plan: Plan) -> None:
    other, address = bot(operator, Wanted("other", SCOPES, accounts=["111111111111"])), f"/api/v1/plans/{plan.pk}"
    assert other.get(address).status_code == 200
    assert other.post(f"{address}/apply", "{}", content_type="application/json").status_code == 202
