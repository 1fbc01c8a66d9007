"""A patch: planned, carried out, read back and undone, against the sandbox's Lambda, ECR and registries."""

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.runs import Status
from functions_app.models import AliasMove
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stage
from tests.services.changes.stage import log_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def test_one_click_later_the_same_code_runs_on_the_new_base(stage: PatchStage) -> None:
    assert stage.answer(stage.alias) == "release 1 by app"
    before = stage.functions.read(stage.name)
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.answer(stage.alias) == "release 3 by app"
    assert stage.read_alias() == ("2", {})
    assert stage.digest(stage.alias) == PatchPlan.from_json(run.plan).to_digest
    after = stage.functions.read(stage.name)
    same = {"MemorySize", "Timeout", "Role", "Environment", "Architectures"}
    assert {key: before.get(key) for key in same} == {key: after.get(key) for key in same}


def test_the_history_of_the_alias_names_the_patch_and_its_undo(stage: PatchStage) -> None:
    patched = stage.patch()
    undone = stage.undo(patched)
    moves = AliasMove.objects.filter(function=stage.function, alias=stage.alias).order_by("id")
    assert list(moves.values_list("version", "run")) == [("1", None), ("2", patched.pk), ("1", undone.pk)]


def test_the_plan_says_how_safe_it_is_how_far_it_goes_and_what_stays(stage: PatchStage) -> None:
    plan = PatchPlan.from_json(stage.plan_patch().body)
    assert plan.judgement.verdict == (
        f"SAFE: {stage.company.stream.name} moves two releases forward; your one layer stays byte for byte."
    )


def test_an_undo_brings_back_version_and_image(stage: PatchStage) -> None:
    before = stage.digest()
    run = stage.patch()
    undone = stage.undo(run)
    assert undone.status == Status.SUCCEEDED, log_of(undone)
    assert stage.read_alias() == ("1", {})
    assert stage.digest() == before
    assert stage.answer(stage.alias) == "release 1 by app"
