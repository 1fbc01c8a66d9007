"""How often a patch calls AWS is what its plan says."""

import pytest

from functions_app.domain.changes.patching.patch_calls import patch_calls
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.runs import Status
from functions_app.services.changes import smoke
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stage
from tests.services.changes.stage import carry_out, log_of
from tests.services.sync.sync_stage import Counted

pytestmark = pytest.mark.django_db(transaction=True)

# GetFunction is asked as often as Lambda works, and reading the function into the snapshot asks ECR for images too.
AT_LEAST = {"GetFunction", "BatchGetImage"}


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


@pytest.mark.parametrize(("aliases", "smoked"), [(0, False), (0, True), (1, False), (1, True), (2, False)])
def test_the_plans_number_is_what_the_sandbox_counts(
    stage: PatchStage, aws: Sandbox, aliases: int, smoked: bool
) -> None:
    if smoked:
        smoke.keep(stage.function, Smoke(), stage.actor)
    if aliases == 0:
        stage.api.delete_alias(FunctionName=stage.name, Name=stage.alias)
    if aliases == 2:
        stage.api.create_alias(FunctionName=stage.name, Name="canary", FunctionVersion="1")
    stage.sync_all()
    stored = stage.plan_patch()
    counted = Counted(aws, stage.account.account_id)
    run = carry_out(stage.confirm(stored))
    assert run.status == Status.SUCCEEDED, log_of(run)
    made = {name.partition(".")[2]: count for name, count in counted.made().items()}
    said = patch_calls(aliases, smoke=smoked)
    assert PatchPlan.from_json(stored.body).calls == sum(said.values())
    assert {name: made.get(name, 0) for name in said if name not in AT_LEAST} == {
        name: count for name, count in said.items() if name not in AT_LEAST
    }, made
    assert all(made.get(name, 0) >= said[name] for name in AT_LEAST), made
