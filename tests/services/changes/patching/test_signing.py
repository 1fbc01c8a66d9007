"""Where ECR signs images by itself, a patch waits for its signature before anything is deployed."""

import pytest

from functions_app.domain.runs import Status
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.ecr.test_signing import sign
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def notes(stage: PatchStage) -> dict[str, str]:
    """The steps of the last run, and how each ended."""
    return dict(stage.function.runs.latest("pk").steps.values_list("name", "note"))


def test_an_image_that_ecr_signs_is_deployed_once_it_is_signed(stage: PatchStage, functions: Functions) -> None:
    sign(functions.ecr, "*")
    run = carry_out(stage.confirm(stage.plan_patch()))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert notes(stage)["prove"].endswith("and has signed it")


def test_an_image_that_can_not_be_signed_is_not_deployed(stage: PatchStage, functions: Functions) -> None:
    sign(functions.ecr, "*", "revoked")
    before = stage.api.get_alias(FunctionName=stage.name, Name=stage.alias)
    run = carry_out(stage.confirm(stage.plan_patch()))
    assert run.status == Status.FAILED
    told = str(run.problem)
    assert "could not sign" in told
    assert "The signing profile is not active." in told
    assert stage.api.get_alias(FunctionName=stage.name, Name=stage.alias)["RevisionId"] == before["RevisionId"]


def test_who_may_not_ask_goes_on(stage: PatchStage, aws: Sandbox) -> None:
    denied = {"account": stage.account.account_id, "actions": ["ecr:DescribeImageSigningStatus"]}
    aws.admin("POST", "denials", denied)
    run = carry_out(stage.confirm(stage.plan_patch()))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert any("Whether ECR signs it could not be asked" in line for line in log_of(run))
