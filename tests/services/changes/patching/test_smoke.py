"""The smoke test of a patch: one call before any traffic; where calls name no alias, at once."""

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.runs import Status
from functions_app.services.changes import smoke
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.deaths import Deaths, carry_out_dying
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stage
from tests.services.changes.patching.promises import assert_kept
from tests.services.changes.stage import carry_out, log_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
FITS = Smoke(path="$", value='"release 3 by app"')
FAILS = Smoke(path="$", value='"release 1 by app"')


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def test_an_answer_as_expected_lets_the_traffic_come(stage: PatchStage) -> None:
    smoke.keep(stage.function, FITS, stage.actor)
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.steps.get(name="smoke").note.startswith("version 2: no function error")
    assert_kept(stage, run)


def test_another_answer_is_shown_and_nothing_was_moved(stage: PatchStage) -> None:
    smoke.keep(stage.function, FAILS, stage.actor)
    run = stage.patch()
    assert run.status == Status.FAILED, log_of(run)
    assert run.result["smoke"]["answer"] == '"release 3 by app"'
    assert (run.problem or {})["message"] == (
        'The smoke test of version 2 failed. At $ is "release 3 by app", expected was "release 1 by app". '
        "No alias was moved."
    )
    assert_kept(stage, run)
    assert stage.answer(stage.alias) == "release 1 by app"


class Test_without_an_alias:
    @pytest.fixture
    def stage(self, stage: PatchStage) -> PatchStage:
        stage.without_alias()
        return stage

    def test_it_is_called_at_once_as_the_plan_says(self, stage: PatchStage) -> None:
        smoke.keep(stage.function, FITS, stage.actor)
        stored = stage.plan_patch()
        assert any(step.startswith("Call it once at once: ") for step in PatchPlan.from_json(stored.body).steps())
        run = carry_out(stage.confirm(stored))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert run.steps.get(name="smoke").note.startswith("$LATEST: no function error")

    def test_another_answer_has_the_image_of_before_put_back(self, stage: PatchStage) -> None:
        smoke.keep(stage.function, FAILS, stage.actor)
        run = stage.patch()
        assert run.status == Status.FAILED, log_of(run)
        assert stage.answer() == "release 1 by app"
        assert (run.problem or {})["message"].endswith("Calls reached it until it was put back.")
        assert f"Code of $LATEST was put back to {stage.digest()[7:19]}." in run.result["told"]
        assert_kept(stage, run)

    def test_a_worker_that_dies_in_it_is_not_followed_into_it_and_what_was_before_is_put_back(
        self, stage: PatchStage
    ) -> None:
        smoke.keep(stage.function, FITS, stage.actor)
        run = stage.confirm(stage.plan_patch())
        carry_out_dying(run, Deaths())
        assert run.status == Status.FAILED, log_of(run)
        assert stage.answer() == "release 1 by app"
        assert_kept(stage, run)
