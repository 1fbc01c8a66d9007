"""The checks before a change."""

from datetime import UTC, datetime

import pytest

from functions_app.domain.changes import checks
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.functions import FunctionDetail, FunctionFact, FunctionPlace, VersionFact
from functions_app.domain.images.lambda_rules import Check

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
PLACE = FunctionPlace(ARN, "orders", "111111111111", "eu-west-1")
IMAGE = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app"


def detail(state: str = "Active", update: str = "Successful") -> FunctionDetail:
    latest = VersionFact("$LATEST", "sha256:" + "a" * 64, datetime(2026, 3, 1, tzinfo=UTC), "revision-f")
    fact = FunctionFact("orders", ARN, latest, "x86_64", 512, 30, 512, "role", "/aws/lambda/orders")
    return FunctionDetail(
        fact, f"{IMAGE}:v8", f"{IMAGE}@sha256:{'b' * 64}", state, "", "ImageDeleted", update, "no layers", ""
    )


@pytest.mark.parametrize("typed", ["", "LIVE", "liv"])
def test_what_is_typed_must_be_the_name(typed: str) -> None:
    with pytest.raises(DrydockError) as caught:
        checks.check_confirmation("live", typed)
    assert caught.value.problem.code is Code.INVALID
    assert "Nothing was changed" in caught.value.problem.message


def test_every_forbidding_check_is_named() -> None:
    made = [Check("a", False, "Too big."), Check("b", None, "Maybe."), Check("c", False, "Wrong region.")]
    with pytest.raises(DrydockError) as caught:
        checks.refuse_blocked(made)
    assert caught.value.problem.code is Code.PREFLIGHT
    assert caught.value.problem.message == "Too big. Wrong region."


def test_an_image_of_another_region_is_refused() -> None:
    check = checks.place_check("111111111111.dkr.ecr.us-east-1.amazonaws.com", PLACE)
    assert check.ok is False
    assert "us-east-1" in check.text


@pytest.mark.parametrize(
    "host", ["111111111111.dkr-ecr.eu-west-1.on.aws", "111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com"]
)
def test_a_registry_by_another_of_its_names_is_in_its_region(host: str) -> None:
    assert checks.place_check(host, PLACE).ok is True


def test_a_registry_that_is_not_ecr_is_refused() -> None:
    assert checks.place_check("docker.io", PLACE).ok is False


def test_who_manages_a_function_cant_be_known_where_its_tags_cant_be_read() -> None:
    denied = Problem(Code.DENIED, "lambda:ListTags is denied.", next_step="Allow it.")
    check = checks.ownership_check("terraform", "payments", denied)
    assert check.ok is None
    assert check.text == (
        "Its tags can't be read, so whether a tool manages it can't be known: lambda:ListTags is denied. "
        "By what was read before, terraform manages it; owner payments. Allow it."
    )
    assert "no tool manages it" in checks.ownership_check("", "", denied).text


@pytest.mark.parametrize(("state", "update"), [("Pending", "Successful"), ("Active", "InProgress")])
def test_a_function_that_is_being_changed_is_left_alone(state: str, update: str) -> None:
    assert checks.state_checks(detail(state, update))[0].ok is False


def test_a_failed_function_may_be_mended() -> None:
    check = checks.state_checks(detail("Failed"))[0]
    assert check.ok is None
    assert "ImageDeleted" in check.text
