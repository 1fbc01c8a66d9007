"""Plans of deployments and rollbacks: what the database keeps of them, and what they say."""

import json
from dataclasses import replace

import pytest

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.base_changes import Base
from functions_app.domain.changes.configurations import Comparison, Difference
from functions_app.domain.changes.deployments import DeploymentPlan, RollbackPlan, is_forward
from functions_app.domain.changes.judgements import Judgement, Level, Remark, Running, Tick
from functions_app.domain.changes.planned_ways_back import Held, PlannedWayBack
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
IMAGE = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app"
PLACE = FunctionPlace(ARN, "orders", "111111111111", "eu-west-1")
JUDGEMENT = Judgement(
    verdict="Same repository, base one release newer, one setting differs.",
    level=Level.MIND,
    remarks=(Remark(Level.MIND, "Configuration", "Against version 7: Memory."),),
    fine=(Check("Region", True, "fine"),),
    runs=(Running("7", "sha256:" + "a" * 64, f"{IMAGE}@sha256:{'a' * 64}", Base("python:3.12", 4, "old"), 0.9),),
    goal=Running("", "sha256:" + "b" * 64, f"{IMAGE}@sha256:{'b' * 64}", held=Held.THERE),
    comparisons=(Comparison("7", (Difference("Memory", "640 MB", "3,008 MB"),), (), None),),
    way_back=PlannedWayBack("7", True, "Roll live back to version 7."),
    ticks=(Tick("repository", "It is meant."),),
)
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
    production=True,
    judgement=JUDGEMENT,
)

ALIAS_FIELDS = (
    *("place", "alias", "before", "before_digest", "to_digest", "image", "checks", "managed_by", "owner"),
    *("production", "judgement"),
)


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


def test_the_undo_is_the_way_back_that_was_found_and_what_happens_by_itself() -> None:
    assert PLAN.undo() == (
        "Roll live back to version 7. If the check after the change fails, Drydock puts live back to version 7 (90 %) "
        "and version 6 (10 %) by itself. $LATEST keeps the new image."
    )


def test_a_new_alias_is_removed_again_by_itself() -> None:
    assert "Drydock removes live again by itself" in replace(PLAN, before=AliasState()).undo()


def test_aliases_that_carry_production_have_to_be_typed() -> None:
    assert PLAN.confirm == "live"
    assert replace(PLAN, production=False).confirm == ""


@pytest.mark.parametrize(
    ("before", "number", "forward"),
    [
        (AliasState("2"), "3", True),
        (AliasState("9"), "10", True),
        (AliasState("3"), "2", False),
        (AliasState("2", "4", 0.1), "3", False),
        (AliasState("2", "3", 0.1), "4", True),
        (AliasState("$LATEST"), "3", False),
    ],
)
def test_forward_is_to_a_version_newer_than_all_that_the_alias_runs(
    before: AliasState, number: str, *, forward: bool
) -> None:
    assert is_forward(before, number) is forward


def test_a_plan_of_going_forward_is_named_so() -> None:
    fields = {name: getattr(PLAN, name) for name in ALIAS_FIELDS}
    assert RollbackPlan(**fields, to_version="9", forward=True).title == "Roll orders:live forward to version 9"
