"""What others do while a patch is under way: it goes on, is taken back, or fails and says why; theirs stays."""

from collections.abc import Callable
from typing import Any

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import SignalKind, Status
from functions_app.models import BaseRelease, Run
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.engine import signals
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.deaths import Deaths, carry_out_dying, meanwhile
from tests.services.changes.patching.patch_stage import PatchStage, app, base, make_patch_stage
from tests.services.changes.patching.promises import assert_kept, assert_recorded_once, assert_whole
from tests.services.changes.stage import answering, carry_out, log_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
UNTIL_UPDATE = ("check", "rebase", "push", "prove", "attest", "update")
UNTIL_ALIAS = (*UNTIL_UPDATE, "wait", "publish", "alias-0")


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def confirmed(stage: PatchStage) -> Run:
    return stage.confirm(stage.plan_patch())


def problem(run: Run) -> dict[str, Any]:
    """What a failed run says."""
    assert run.status == Status.FAILED, log_of(run)
    assert run.problem is not None
    found: dict[str, Any] = run.problem
    return found


@pytest.mark.parametrize("before", UNTIL_ALIAS)
def test_an_alias_that_somebody_moves_is_left_and_latest_is_as_it_was(stage: PatchStage, before: str) -> None:
    stage.functions.next_version()  # 2: the same image, other variables
    stage.functions.configure(Environment={"Variables": {}})
    run, was = confirmed(stage), stage.digest()

    def move() -> None:
        stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion="2")

    found = problem(meanwhile(run, before, move))

    assert found["code"] == Code.CHANGED
    assert "pointed to version 1, and now to version 2" in found["message"]
    run.refresh_from_db()
    assert (stage.read_alias(), stage.digest()) == (("2", {}), was)
    assert_recorded_once(run)
    assert_whole(stage)


@pytest.mark.parametrize("before", [*UNTIL_UPDATE[1:], "wait", "publish"])
def test_latest_that_somebody_gives_another_image_is_left_to_them(stage: PatchStage, before: str) -> None:
    run, theirs = confirmed(stage), list[str]()

    def deploy() -> None:
        stage.functions.settled()
        theirs.append(stage.functions.redeploy(answering("theirs"), tag="ci"))

    found = problem(meanwhile(run, before, deploy))
    assert found["code"] == Code.CHANGED
    assert theirs[0][7:19] in found["message"]
    assert (stage.read_alias(), stage.digest(), stage.versions()) == (("1", {}), theirs[0], ["1"])


def test_variables_that_somebody_sets_after_our_update_stay_and_the_image_of_before_is_back(stage: PatchStage) -> None:
    run, was = confirmed(stage), stage.digest()
    found = problem(meanwhile(run, "publish", lambda: stage.functions.configure(MemorySize=512)))
    assert found["code"] == Code.CHANGED
    assert (stage.digest(), stage.functions.read()["MemorySize"], stage.versions()) == (was, 512, ["1"])


@pytest.mark.parametrize("before", UNTIL_ALIAS)
def test_a_base_that_is_withdrawn_half_way_stops_it_before_any_traffic(stage: PatchStage, before: str) -> None:
    run = confirmed(stage)
    found = problem(meanwhile(run, before, stage.withdraw))
    assert found["code"] == Code.CHANGED
    assert "was withdrawn after this plan was made" in found["message"]
    run.refresh_from_db()
    assert_kept(stage, run)


def test_a_base_of_which_nothing_is_known_any_more_stops_it(stage: PatchStage) -> None:
    run = confirmed(stage)
    release = PatchPlan.from_json(run.plan).base.to_release_id
    found = problem(meanwhile(run, "update", lambda: BaseRelease.objects.filter(pk=release).delete()))
    assert "was withdrawn" in found["message"]
    run.refresh_from_db()
    assert_kept(stage, run)


def test_without_an_alias_a_base_that_is_withdrawn_reaches_nobody(stage: PatchStage) -> None:
    stage.without_alias()
    run = confirmed(stage)
    assert "was withdrawn" in problem(meanwhile(run, "update", stage.withdraw))["message"]
    run.refresh_from_db()
    assert_kept(stage, run)
    assert stage.answer() == "release 1 by app"


def test_a_base_that_is_followed_by_a_newer_one_is_patched_to_as_planned(stage: PatchStage) -> None:
    run = meanwhile(confirmed(stage), "push", stage.publish_next)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.answer(stage.alias) == "release 3 by app"


def test_a_tag_that_somebody_has_taken_is_not_moved(stage: PatchStage) -> None:
    run = confirmed(stage)
    tag = PatchPlan.from_json(run.plan).tag
    theirs = stage.functions.push(answering("theirs"), f"{stage.name}:{tag}")
    found = problem(meanwhile(run, "push", lambda: None))
    assert found["code"] == Code.PREFLIGHT
    assert "names another image already" in found["message"]
    assert stage.tags()[tag] == theirs
    assert_kept(stage, run)


def test_where_somebody_has_taken_its_tag_the_next_plan_takes_another_which_stays_its_own(stage: PatchStage) -> None:
    run = confirmed(stage)
    taken = PatchPlan.from_json(run.plan).tag
    theirs = stage.functions.push(answering("theirs"), f"{stage.name}:{taken}")
    assert "Plan again: a plan takes a tag that is free." in problem(carry_out(run))["next_step"]
    again = confirmed(stage)
    plan = PatchPlan.from_json(again.plan)
    assert plan.tag == f"{taken.removesuffix(plan.to_digest[7:15])}{plan.to_digest[7:19]}"
    carry_out_dying(again, Deaths())
    assert again.status == Status.SUCCEEDED, log_of(again)
    assert (stage.tags()[taken], stage.tags()[plan.tag]) == (theirs, plan.to_digest)
    assert_kept(stage, again)


@pytest.mark.parametrize("before", UNTIL_UPDATE)
def test_a_repository_that_is_deleted_half_way_fails_it_and_changes_nothing(stage: PatchStage, before: str) -> None:
    run, was = confirmed(stage), stage.digest()
    found = problem(
        meanwhile(run, before, lambda: stage.functions.ecr.delete_repository(repositoryName=stage.name, force=True))
    )
    assert found["code"] in (Code.NOT_FOUND, Code.FAILED, Code.INVALID, Code.PREFLIGHT)
    assert found["next_step"], found
    assert (stage.read_alias(), stage.digest(), stage.versions()) == (("1", {}), was, ["1"])
    assert_recorded_once(run)


@pytest.mark.parametrize("before", ["rebase", "push"])
def test_an_image_that_is_deleted_before_it_was_rebased_fails_it(stage: PatchStage, before: str) -> None:
    run = confirmed(stage)
    found = problem(meanwhile(run, before, lambda: delete(stage, stage.digest())))
    assert found["code"] == Code.NOT_FOUND
    run.refresh_from_db()
    assert_kept(stage, run)


def test_without_the_image_of_before_it_is_patched_and_an_undo_is_refused_with_the_reason(stage: PatchStage) -> None:
    gone = stage.digest()
    run = meanwhile(confirmed(stage), "update", lambda: delete(stage, gone))
    assert run.status == Status.SUCCEEDED, log_of(run)
    made = undoing.plan(run, stage.actor)
    assert made.stored is None
    assert f"Its image {gone[7:19]} was deleted" in " ".join(check.text for check in made.checks if check.ok is False)


@pytest.mark.parametrize("aliased", [True, False], ids=["by its alias", "without alias"])
def test_a_result_that_is_deleted_after_the_push_is_never_deployed(stage: PatchStage, aliased: bool) -> None:
    if not aliased:
        stage.without_alias()
    run = confirmed(stage)
    result = PatchPlan.from_json(run.plan).to_digest
    found = problem(meanwhile(run, "prove", lambda: delete(stage, result)))
    assert "ECR does not give it" in found["message"]
    run.refresh_from_db()
    assert_kept(stage, run)


def delete(stage: PatchStage, digest: str) -> None:
    stage.functions.ecr.batch_delete_image(repositoryName=stage.name, imageIds=[{"imageDigest": digest}])


class Test_cancelling:
    def cancel(self, run: Run, stage: PatchStage) -> Callable[[], object]:
        return lambda: signals.give(run, SignalKind.CANCEL, stage.actor)

    @pytest.mark.parametrize("before", ["check", "push", "attest", "update", "wait", "publish", "alias-0"])
    def test_takes_back_what_was_done_so_far(self, stage: PatchStage, before: str) -> None:
        run = confirmed(stage)
        meanwhile(run, before, self.cancel(run, stage))
        run.refresh_from_db()
        assert run.status == Status.CANCELLED, log_of(run)
        assert_kept(stage, run)
        again = stage.patch()
        assert again.status == Status.SUCCEEDED, log_of(again)
        assert_kept(stage, again)

    @pytest.mark.parametrize("before", ["check", "push", "keep", "update", "wait"])
    def test_gives_a_function_without_alias_its_code_back(self, stage: PatchStage, before: str) -> None:
        stage.without_alias()
        run = confirmed(stage)
        meanwhile(run, before, self.cancel(run, stage))
        run.refresh_from_db()
        assert run.status == Status.CANCELLED, log_of(run)
        assert_kept(stage, run)
        assert stage.functions.read()["LastUpdateStatus"] == "Successful"
        assert stage.answer() == "release 1 by app"

    def test_is_too_late_once_it_was_read_back(self, stage: PatchStage) -> None:
        run = confirmed(stage)
        meanwhile(run, "verify-0", self.cancel(run, stage))
        run.refresh_from_db()
        assert stage.read_alias() == ("2", {})
        assert run.status == Status.CANCELLED
        assert "Done and kept" in run.result["summary"]


class Test_undoing:
    def test_an_alias_that_was_moved_since_is_left_alone(self, stage: PatchStage) -> None:
        run = stage.confirm(stage.plan_undo(stage.patch()))

        def move() -> None:
            stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion="2", Description="mine")

        assert problem(meanwhile(run, "alias-0", move))["code"] == Code.CHANGED
        assert stage.read_alias() == ("2", {})

    def test_what_was_done_is_undone_once(self, stage: PatchStage) -> None:
        run = stage.patch()
        stage.undo(run)
        with pytest.raises(DrydockError, match="It was undone"):
            undoing.plan(run, stage.actor)

    def test_what_was_undone_can_be_patched_again_with_the_same_image_and_version(self, stage: PatchStage) -> None:
        first = stage.patch()
        stage.undo(first)
        second = stage.patch()
        assert second.status == Status.SUCCEEDED, log_of(second)
        assert second.plan["to_digest"] == first.plan["to_digest"]
        assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
        assert_kept(stage, second)

    def test_settings_that_somebody_changed_since_stay(self, stage: PatchStage) -> None:
        run, before = stage.patch(), stage.digest("1")
        stage.functions.configure(MemorySize=512)
        assert stage.undo(run).status == Status.SUCCEEDED
        assert (stage.digest(), stage.functions.read()["MemorySize"]) == (before, 512)

    def test_without_an_alias_it_gives_the_code_back_and_waits_until_lambda_has_taken_it(
        self, stage: PatchStage
    ) -> None:
        stage.without_alias()
        before, run = stage.digest(), stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        undone = stage.undo(run)
        assert undone.status == Status.SUCCEEDED, log_of(undone)
        assert (stage.digest(), stage.functions.read()["LastUpdateStatus"]) == (before, "Successful")
        assert stage.answer() == "release 1 by app"


def test_an_alias_that_runs_another_image_by_now_is_not_patched_to_this_one(stage: PatchStage) -> None:
    """Nothing has told Drydock yet."""
    mine = app(base(1), {"var/task/newer.py": b""})
    stage.functions.redeploy(mine, tag="2")
    number = stage.functions.publish()
    stage.functions.redeploy(app(base(1)), tag="1")
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion=number)
    assert f"staging runs {mine.digest[7:19]} now" in refusal(stage)


def refusal(stage: PatchStage) -> str:
    """Why no patch can be confirmed."""
    if run := patching.reading_first(stage.function, "", stage.actor):
        carry_out(run)
    made = patching.plan(stage.function, stage.actor)
    assert made.stored is None
    return " ".join(check.text for check in made.checks if check.ok is False)
