"""An alias whose calls are split: the new version takes the place of the stale one, and every weight comes back."""

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.runs import Status
from functions_app.models import Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.deaths import Deaths, carry_out_dying, meanwhile
from tests.services.changes.patching.patch_stage import PatchStage, app, base, make_patch_stage
from tests.services.changes.patching.test_latest_kept import confirm
from tests.services.changes.stage import carry_out, log_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    """Version 1 is stale, as $LATEST; version 2 is another build, on the current release."""
    made = make_patch_stage(functions, aws, operator)
    canary(made)
    functions.redeploy(app(base(1)))
    return made


def canary(stage: PatchStage) -> None:
    """Somebody deploys another build, on the current release, and publishes it as version 2."""
    stage.functions.redeploy(app(base(3), {"var/task/newer.py": b""}), tag="2")
    stage.functions.settled(stage.name, stage.functions.publish())


def split(stage: PatchStage, first: str, second: str, weight: float = 0.25) -> None:
    """Give the second version so much of the alias's calls, and let Drydock see it."""
    weights = {"AdditionalVersionWeights": {second: weight}}
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion=first, RoutingConfig=weights)
    stage.sync_all()
    judge_images()


def told(run: Run) -> str:
    """What its plan says of the alias."""
    frozen = PatchPlan.from_json(run.plan)
    return " ".join([*(check.text for check in frozen.checks if check.name == "Alias"), *frozen.steps()])


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("2", "1")])
def test_the_new_version_takes_place_and_share_of_the_stale_one_and_an_undo_gives_them_back(
    stage: PatchStage, first: str, second: str
) -> None:
    split(stage, first, second)
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    patched = {"1": "3"}
    assert stage.read_alias() == (patched.get(first, first), {patched.get(second, second): 0.25})
    assert stage.digest("3") == PatchPlan.from_json(run.plan).to_digest
    undone = stage.undo(run)
    assert undone.status == Status.SUCCEEDED, log_of(undone)
    assert stage.read_alias() == (first, {second: 0.25})


def test_the_plan_says_in_one_sentence_what_becomes_of_the_split(stage: PatchStage) -> None:
    split(stage, "1", "2")
    run = stage.confirm(stage.plan_patch())
    assert (
        "staging is split: version 1 (75 %) and version 2 (25 %); version 2 keeps its share, and the new version gets "
        "the other. If a rollout is shifting its calls, let that end first."
    ) in told(run)
    assert (
        "Point staging from version 1 (75 %) and version 2 (25 %) to a new version (75 %) and version 2 (25 %)."
    ) in told(run)
    assert "That ends" not in told(run)
    assert (
        PatchPlan.from_json(run.plan)
        .undo()
        .startswith("Undo on the page of the run or of the function, one click: staging to version 1 (75 %)")
    )


def test_where_both_versions_run_the_image_the_new_one_gets_all_and_the_split_comes_back(stage: PatchStage) -> None:
    stage.functions.configure(Description="again")
    assert stage.functions.publish() == "3"
    split(stage, "1", "3")
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert "both run the image that is patched, and the new version gets all of its calls" in told(run)
    assert stage.read_alias() == ("4", {})
    assert stage.undo(run).status == Status.SUCCEEDED
    assert stage.read_alias() == ("1", {"3": 0.25})


def test_where_latest_is_the_canary_what_is_live_beside_it_is_patched_and_latest_left(stage: PatchStage) -> None:
    newer = stage.functions.redeploy(app(base(3), {"var/task/newer.py": b""}), tag="2")
    split(stage, "1", "2")
    patched = carry_out(confirm(stage))
    assert patched.status == Status.SUCCEEDED, log_of(patched)
    version = patched.result["version"]
    assert stage.read_alias() == (version, {"2": 0.25})
    assert (stage.digest(version), stage.digest()) == (PatchPlan.from_json(patched.plan).to_digest, newer)


def test_what_fails_after_the_alias_was_moved_brings_its_weights_back(stage: PatchStage) -> None:
    split(stage, "1", "2")
    run = carry_out_dying(stage.confirm(stage.plan_patch()), Deaths(moments=(), fails="alias-0"))
    assert run.status == Status.FAILED, log_of(run)
    assert stage.read_alias() == ("1", {"2": 0.25})
    assert "Alias staging was put back to version 1 (75 %) and version 2 (25 %)." in run.result["told"]


def test_workers_that_die_before_and_after_every_step_split_it_as_planned(stage: PatchStage) -> None:
    split(stage, "1", "2")
    run = carry_out_dying(stage.confirm(stage.plan_patch()), Deaths())
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("3", {"2": 0.25})


def test_weights_that_somebody_moves_on_meanwhile_are_left_alone(stage: PatchStage) -> None:
    split(stage, "1", "2")
    run = meanwhile(stage.confirm(stage.plan_patch()), "alias-0", lambda: split(stage, "1", "2", 0.5))
    assert run.status == Status.FAILED, log_of(run)
    assert "Someone changed alias staging" in (run.problem or {})["message"]
    assert stage.read_alias() == ("1", {"2": 0.5})


def test_an_undo_is_offered_while_the_split_is_what_the_patch_left(stage: PatchStage) -> None:
    split(stage, "1", "2")
    run = stage.patch()
    assert undoing.why_not(run) == ""
    split(stage, "3", "2", 0.5)
    run.refresh_from_db()
    why = "staging was moved on since: it no longer points to version 3 (75 %) and version 2 (25 %)."
    assert undoing.why_not(run) == why
