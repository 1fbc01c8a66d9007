"""Rollbacks against the sandbox: only to what was live, only where its image still is."""

from typing import Any

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, Status
from functions_app.models import AliasMove, AuditEntry, RunStep
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.engine.steps import StepSpec
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.rollback_targets import targets
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


def test_a_version_that_was_never_live_is_refused(stage: Stage) -> None:
    stage.functions.next_version("app")
    with pytest.raises(DrydockError, match="never seen live"):
        rollbacks.plan(stage.function, "staging", "3", stage.actor)


def test_a_version_that_was_published_earlier_is_planned_and_the_plan_says_what_is_not_known(stage: Stage) -> None:
    AliasMove.objects.all().delete()
    stage.sync_all()
    made = rollbacks.plan(stage.function, "staging", "1", stage.actor)
    assert made.stored is not None
    assert {check.name: check.ok for check in made.plan.checks}["History"] is None


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
