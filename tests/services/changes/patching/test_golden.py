"""A function on a golden image that is stale itself: that goes first, then the function, in one patch."""

import pytest

from functions_app.domain.changes.patching.patch_calls import patch_calls
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.runs import Status
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.golden_stage import GoldenStage, golden, make_golden_stage
from tests.services.changes.patching.patch_stage import app, base
from tests.services.changes.patching.promises import assert_kept
from tests.services.changes.stage import carry_out, log_of
from tests.services.sync.sync_stage import Counted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> GoldenStage:
    return make_golden_stage(functions, aws, operator)


def test_the_result_stands_on_the_new_base_with_the_golden_images_own_layers_and_its_own(stage: GoldenStage) -> None:
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    plan = PatchPlan.from_json(run.plan)
    stage.sync_all()
    assert stage.answer(stage.alias) == "release 3 by app"
    new, own, apps = base(3).layers, golden(1).layers[2:], app(golden(1)).layers[3:]
    assert stage.layers(plan.golden[0].to_digest) == [layer.diff_id for layer in (*new, *own)]
    assert stage.layers(plan.to_digest) == [layer.diff_id for layer in (*new, *own, *apps)]
    assert_kept(stage, run)


def test_afterwards_the_function_is_current_and_its_golden_images_tag_stays(stage: GoldenStage) -> None:
    before = stage.golden_tags()["stable"]
    run = stage.patch()
    (made,) = PatchPlan.from_json(run.plan).golden
    assert run.result["told"][0] == (
        f"Golden image platform/golden:stable on {stage.company.stream.name} 3 was pushed: repository "
        f"platform/golden, by the tag {made.tag}."
    )
    assert stage.freshness() == "current"
    assert [row.tag for row in stage.current()] == [made.tag]
    assert made.tag.startswith("stable-1.0.0-base-")
    assert (stage.golden_tags()["stable"], stage.golden_tags()[made.tag]) == (before, made.to_digest)


def test_the_plan_names_both_rebases_in_order(stage: GoldenStage) -> None:
    plan = PatchPlan.from_json(stage.plan_patch().body)
    steps = plan.steps()
    assert "Rebase golden image platform/golden:stable stable-1.0.0 in repository platform/golden" in steps[1]
    assert steps[2].startswith("Rebase this function's image: put your one layer upon the three layers")
    assert plan.judgement.verdict == (
        f"SAFE: platform/golden:stable goes onto {stage.company.stream.name} 3 first (two releases "
        "forward), and your one layer follows byte for byte."
    )
    assert plan.safety.level is Level.SAFE


def test_an_undo_moves_the_function_back_and_leaves_the_golden_images_new_image(stage: GoldenStage) -> None:
    before = stage.digest()
    stored = stage.plan_patch()
    assert "The new image of platform/golden:stable stays" in PatchPlan.from_json(stored.body).undo()
    run = carry_out(stage.confirm(stored))
    undone = stage.undo(run)
    assert undone.status == Status.SUCCEEDED, log_of(undone)
    assert (stage.read_alias(), stage.digest()) == (("1", {}), before)
    assert PatchPlan.from_json(run.plan).golden[0].to_digest in stage.golden_tags().values()


def test_the_plans_number_of_calls_is_what_the_sandbox_counts(stage: GoldenStage, aws: Sandbox) -> None:
    stored = stage.plan_patch()
    counted = Counted(aws, stage.account.account_id)
    run = carry_out(stage.confirm(stored))
    assert run.status == Status.SUCCEEDED, log_of(run)
    made = {name.partition(".")[2]: count for name, count in counted.made().items()}
    said = dict(patch_calls(1, smoke=False, golden=1, repositories=2))
    assert PatchPlan.from_json(stored.body).calls == sum(said.values())
    at_least = {name: said.pop(name) for name in ("GetFunction", "BatchGetImage")}  # the snapshot is read as well
    assert {name: made.get(name, 0) for name in said} == said
    assert all(made[name] >= count for name, count in at_least.items()), made
