"""Plans of deployments and rollbacks: what the database keeps of them, and what they say."""

import json
from dataclasses import replace

import pytest

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.deployments import DeploymentPlan, RollbackPlan
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
PLACE = FunctionPlace(ARN, "orders", "111111111111", "eu-west-1")
PLAN = DeploymentPlan(
    place=PLACE,
    alias="live",
    before=AliasState("7", "6", 0.1, "revision-a"),
    before_digest="sha256:" + "a" * 64,
    to_digest="sha256:" + "b" * 64,
    image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v8",
    checks=(Check("Region", True, "fine"), Check("Ownership", None, "terraform")),
    managed_by="terraform",
    owner="shop",
    image_uri="111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app@sha256:" + "b" * 64,
    from_digest="sha256:" + "a" * 64,
    function_revision="revision-f",
)

ALIAS_FIELDS = ("place", "alias", "before", "before_digest", "to_digest", "image", "checks", "managed_by", "owner")


def test_a_plan_survives_the_database() -> None:
    stored = json.loads(json.dumps({**PLAN.as_json(), "plan_id": "added by services.plans"}))
    assert DeploymentPlan.from_json(stored) == PLAN


def test_a_rollback_plan_survives_the_database() -> None:
    fields = {name: getattr(PLAN, name) for name in ALIAS_FIELDS}
    plan = RollbackPlan(**fields, to_version="6")
    assert RollbackPlan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


def test_the_steps_say_that_a_split_ends() -> None:
    assert (
        "Point live from version 7 (90 %) and version 6 (10 %) to it, and end the split of its traffic." in PLAN.steps()
    )


def test_the_undo_of_a_new_alias_is_to_delete_it() -> None:
    assert "is new: delete it" in replace(PLAN, before=AliasState()).undo()


@pytest.mark.parametrize("alias", ["live", "prod", "Production", "prod-eu", "blue_live"])
def test_aliases_that_carry_production_have_to_be_typed(alias: str) -> None:
    assert replace(PLAN, alias=alias).confirm == alias


@pytest.mark.parametrize("alias", ["staging", "delivery", "products", "alive"])
def test_other_aliases_need_no_typing(alias: str) -> None:
    assert replace(PLAN, alias=alias).confirm == ""
