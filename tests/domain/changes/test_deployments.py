"""Plans and the checks before a change."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions_app.domain.changes import deployments
from functions_app.domain.changes.deployments import AliasState, DeploymentPlan, Place, RollbackPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import AliasFact, FunctionDetail, FunctionFact, VersionFact
from functions_app.domain.images.lambda_rules import Check

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
PLACE = Place(ARN, "orders", "111111111111", "eu-west-1")
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


def detail(state: str = "Active", update: str = "Successful") -> FunctionDetail:
    latest = VersionFact("$LATEST", PLAN.from_digest, datetime(2026, 3, 1, tzinfo=UTC), "revision-f")
    fact = FunctionFact("orders", ARN, latest, "x86_64", 512, 30, 512, "role", "/aws/lambda/orders")
    return FunctionDetail(fact, PLAN.image, PLAN.image_uri, state, "", "ImageDeleted", update, "no layers", "")


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


@pytest.mark.parametrize("typed", ["", "LIVE", "liv"])
def test_what_is_typed_must_be_the_name(typed: str) -> None:
    with pytest.raises(DrydockError) as caught:
        deployments.check_confirmation("live", typed)
    assert caught.value.problem.code is Code.INVALID
    assert "Nothing was changed" in caught.value.problem.message


@pytest.mark.parametrize("name", ["", "12", "a b", "ä", "x" * 129, "$LATEST"])
def test_names_that_lambda_refuses_are_refused_first(name: str) -> None:
    with pytest.raises(DrydockError):
        deployments.check_alias_name(name)


@pytest.mark.parametrize("name", ["live", "v12", "a_b-c", "x" * 128])
def test_other_names_are_taken(name: str) -> None:
    assert deployments.check_alias_name(f" {name} ") == name


def test_every_forbidding_check_is_named() -> None:
    checks = [Check("a", False, "Too big."), Check("b", None, "Maybe."), Check("c", False, "Wrong region.")]
    with pytest.raises(DrydockError) as caught:
        deployments.refuse_blocked(checks)
    assert caught.value.problem.code is Code.PREFLIGHT
    assert caught.value.problem.message == "Too big. Wrong region."


def test_an_image_of_another_region_is_refused() -> None:
    check = deployments.place_check("111111111111.dkr.ecr.us-east-1.amazonaws.com", PLACE)
    assert check.ok is False
    assert "us-east-1" in check.text


def test_a_registry_that_is_not_ecr_is_refused() -> None:
    assert deployments.place_check("docker.io", PLACE).ok is False


@pytest.mark.parametrize(("state", "update"), [("Pending", "Successful"), ("Active", "InProgress")])
def test_a_function_that_is_being_changed_is_left_alone(state: str, update: str) -> None:
    assert deployments.state_checks(detail(state, update))[0].ok is False


def test_a_failed_function_may_be_mended() -> None:
    check = deployments.state_checks(detail("Failed"))[0]
    assert check.ok is None
    assert "ImageDeleted" in check.text


@pytest.mark.parametrize(
    ("tags", "tool"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "cloudformation"),
        ({"ManagedBy": "Terraform"}, "terraform"),
        ({"terraform": "true"}, "terraform"),
        ({"team": "shop"}, ""),
    ],
)
def test_the_tags_tell_who_else_manages_it(tags: dict[str, str], tool: str) -> None:
    assert deployments.managed_by(tags) == tool


def test_two_states_that_route_alike_are_alike_whatever_their_revision() -> None:
    assert AliasState("7", revision_id="a").routes_like(AliasState("7", "6", 0.0, "b"))
    assert not AliasState("7").routes_like(AliasState("7", "6", 0.1))
    assert AliasState("7", "8", 1.0).routes_like(AliasState("8"))


def test_a_missing_alias_is_no_state() -> None:
    assert not AliasState.of(None).exists
    assert AliasState.of(AliasFact("live", "7", "r", "8", 0.25)) == AliasState("7", "8", 0.25, "r")
