"""Rollbacks against the sandbox: only to what was live, only where its image still is."""

from typing import Any

import pytest

from functions_app.domain.changes.judgements import Level
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, Status
from functions_app.models import AliasMove, AuditEntry, Image, RunStep
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.engine.steps import StepSpec
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.rollback_targets import targets
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage, twice, with_step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function that was deployed once: version 2 is live, version 1 was."""
    made = make_stage(functions, operator)
    made.push("two", "2")
    run = made.deploy("2")
    assert run.status == Status.SUCCEEDED, log_of(run)
    return made


def roll_back(stage: Stage, version: str = "1") -> Any:
    """Plan a rollback that must be possible."""
    made = rollbacks.plan(stage.function, "staging", version, stage.actor)
    assert made.stored is not None, made.plan.checks
    return made.stored


def failed_checks(stage: Stage, version: str) -> dict[str, str]:
    made = rollbacks.plan(stage.function, "staging", version, stage.actor)
    assert made.stored is None
    return {check.name: check.text for check in made.plan.checks if check.ok is False}


def delete_image(stage: Stage, digest: str) -> None:
    stage.functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])


def test_an_alias_goes_back_to_what_was_live(stage: Stage) -> None:
    run = carry_out(stage.confirm(roll_back(stage)))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("1", {})
    assert run.result["told"] == ["Alias staging points to version 1."]


def test_latest_stays_what_it_is(stage: Stage) -> None:
    before = stage.digest()
    carry_out(stage.confirm(roll_back(stage)))
    assert stage.digest() == before


def test_every_step_may_be_done_twice(stage: Stage) -> None:
    run = carry_out(stage.confirm(roll_back(stage)), twice(KINDS[Kind.ROLLBACK]))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("1", {})


def test_weights_are_cleared(stage: Stage) -> None:
    weights = {"AdditionalVersionWeights": {"1": 0.2}}
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="2", RoutingConfig=weights)
    run = carry_out(stage.confirm(roll_back(stage)))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("1", {})


def test_what_was_live_is_offered_with_its_digest_and_tags(stage: Stage) -> None:
    stage.sync_all()
    (offer,) = targets(stage.function)
    (target,) = offer.targets
    assert (target.version, target.digest, target.tags, target.obstacle) == ("1", stage.digest("1"), ("1",), "")
    assert offer.available == 1


def test_a_version_whose_image_is_gone_is_not_offered(stage: Stage) -> None:
    stage.sync_all()
    delete_image(stage, stage.digest("1"))
    stage.sync_all()
    (offer,) = targets(stage.function)
    assert offer.available == 0
    assert "deleted from app" in offer.targets[0].obstacle


def test_an_image_deleted_meanwhile_is_found_when_planning(stage: Stage) -> None:
    delete_image(stage, stage.digest("1"))
    assert "can't be pulled" in failed_checks(stage, "1")["Image"]
    assert AuditEntry.objects.filter(action="rollback.plan", result__startswith="refused").exists()


def test_an_image_deleted_after_planning_is_found_by_the_run(stage: Stage) -> None:
    stored = roll_back(stage)
    delete_image(stage, stage.digest("1"))
    run = carry_out(stage.confirm(stored))
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert run.problem["code"] == Code.PREFLIGHT
    assert stage.read_alias() == ("2", {})


def test_a_newer_version_that_exists_is_gone_forward_to_and_named_so(stage: Stage) -> None:
    stage.functions.next_version("app")
    made = rollbacks.plan(stage.function, "staging", "3", stage.actor)
    assert made.stored is not None
    assert made.stored.title == "Roll app:staging forward to version 3"
    assert made.plan.judgement.verdict.startswith("Forward to version 3: the same image, ")
    assert "never saw it live" in {check.name: check.text for check in made.plan.checks}["History"]
    run = carry_out(stage.confirm(made.stored))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("3", {})


def test_newer_versions_are_offered_apart_from_the_ways_back(stage: Stage) -> None:
    stage.functions.next_version("app")
    stage.sync_all()
    (offer,) = targets(stage.function)
    assert ([one.version for one in offer.targets], [one.version for one in offer.newer]) == (["1"], ["3"])
    assert offer.available == 1


@pytest.mark.parametrize("version", ["77", "$LATEST", "", "latest", "١٢"])
def test_what_is_no_version_of_the_function_is_refused(stage: Stage, version: str) -> None:
    with pytest.raises(DrydockError) as caught:
        rollbacks.plan(stage.function, "staging", version, stage.actor)
    assert caught.value.problem.code is Code.INVALID


def test_the_configuration_of_the_version_is_compared_too(stage: Stage) -> None:
    stage.functions.configure("app", MemorySize=1024, Environment={"Variables": {"K": "1"}})
    assert stage.functions.publish("app") == "3"
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="3")
    plan = rollbacks.plan(stage.function, "staging", "1", stage.actor).plan
    (comparison,) = plan.judgement.comparisons
    rows = [(row.name, row.before, row.after) for row in comparison.differences]
    assert rows == [("Memory", "1,024 MB", "128 MB"), ("Variable K", "set", "not set")]
    assert plan.judgement.verdict.endswith("two settings differ.")


def test_the_base_before_and_after_is_shown_and_that_it_goes_back(stage: Stage) -> None:
    stage.sync_all()
    stream = factories.make_stream()
    old = factories.make_release(stream, "3.12.old", days_old=60)
    factories.make_release(stream, "3.12.mid", days_old=30)
    new = factories.make_release(stream, "3.12.new", current=True)
    for version, release, freshness in (("1", old, "stale"), ("2", new, "current")):
        base = {"base_release": release, "base_stream": stream, "freshness": freshness}
        assert Image.objects.filter(digest=stage.digest(version)).update(**base) == 1
    judgement = rollbacks.plan(stage.function, "staging", "1", stage.actor).plan.judgement
    assert judgement.verdict == (
        "Back to version 1: same repository, base two releases older, configuration unchanged."
    )
    assert judgement.goal is not None
    assert [str(base) for base in (judgement.runs[0].base, judgement.goal.base)] == [
        "python:3.12 3.12.new",
        "python:3.12 3.12.old",
    ]
    assert judgement.remarks[0].text.startswith("Its base goes back: python:3.12 3.12.new → python:3.12 3.12.old")


def test_the_whole_split_is_shown_and_only_a_way_back_that_exists(stage: Stage) -> None:
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="2", RoutingConfig=weights)
    plan = rollbacks.plan(stage.function, "staging", "1", stage.actor).plan
    assert [(run.version, run.share, run.digest) for run in plan.judgement.runs] == [
        ("2", 0.9, stage.digest("2")),
        ("1", 0.1, stage.digest("1")),
    ]
    assert plan.undo().startswith("Roll staging back to version 2 alone")


def test_where_the_image_that_is_live_is_gone_going_back_has_no_way_back(stage: Stage) -> None:
    delete_image(stage, stage.digest("2"))
    plan = rollbacks.plan(stage.function, "staging", "1", stage.actor).plan
    assert "There is no way back to version 2" in plan.undo()
    assert plan.judgement.level is Level.DANGER


def test_an_archived_image_has_to_be_restored_first(stage: Stage) -> None:
    image = {"imageDigest": stage.digest("1")}
    stage.functions.ecr.update_image_storage_class(repositoryName="app", imageId=image, targetStorageClass="ARCHIVE")
    text = failed_checks(stage, "1")["Image"]
    assert "is archived in ECR: it can't be pulled until it is restored. Restore it in ECR first" in text


def test_an_image_archived_after_planning_is_found_by_the_run(stage: Stage) -> None:
    stored = roll_back(stage)
    image = {"imageDigest": stage.digest("1")}
    stage.functions.ecr.update_image_storage_class(repositoryName="app", imageId=image, targetStorageClass="ARCHIVE")
    run = carry_out(stage.confirm(stored))
    assert run.problem is not None
    assert run.problem["code"] == Code.PREFLIGHT
    assert "Restore it in ECR first" in run.problem["message"]
    assert stage.read_alias() == ("2", {})


def test_a_version_that_was_published_earlier_is_planned_and_the_plan_says_what_is_not_known(stage: Stage) -> None:
    AliasMove.objects.all().delete()
    stage.sync_all()
    made = rollbacks.plan(stage.function, "staging", "1", stage.actor)
    assert made.stored is not None
    assert {check.name: check.ok for check in made.plan.checks}["History"] is None


def test_a_number_that_has_another_digest_than_what_was_live_is_no_way_back(stage: Stage) -> None:
    stage.function.versions.filter(number="1").update(digest="sha256:" + "0" * 64)
    text = failed_checks(stage, "1")["History"]
    assert f"runs {stage.digest('1')[7:19]}, and ran 000000000000 when Drydock saw it" in text


def test_a_deleted_version_is_refused(stage: Stage) -> None:
    stage.api.delete_function(FunctionName="app", Qualifier="1")
    assert "deleted" in failed_checks(stage, "1")["Version"]


def test_an_alias_moved_after_planning_is_left_alone(stage: Stage) -> None:
    stored = roll_back(stage)
    stage.functions.next_version("app")
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="3")
    run = carry_out(stage.confirm(stored))
    assert run.problem is not None
    assert run.problem["code"] == Code.CHANGED
    assert stage.read_alias() == ("3", {})


def test_it_is_put_back_when_the_check_after_fails(stage: Stage, sandbox: Sandbox, account: str) -> None:
    run = stage.confirm(roll_back(stage))

    def deny(context: Any) -> Done:
        assert stage.read_alias() == ("1", {})
        sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:GetFunction"]})
        return Done()

    RunStep.objects.create(run=run, position=99, name="deny", title="Deny", status="pending")
    run = carry_out(run, with_step(KINDS[Kind.ROLLBACK], "verify", StepSpec("deny", "Deny", deny)))
    assert run.status == Status.FAILED
    assert stage.read_alias() == ("2", {})
    assert run.result["told"] == ["Alias staging was put back to version 2."]


def test_a_viewer_is_refused(stage: Stage, viewer: Actor) -> None:
    with pytest.raises(DrydockError) as caught:
        rollbacks.plan(stage.function, "staging", "1", viewer)
    assert caught.value.problem.code is Code.DENIED
