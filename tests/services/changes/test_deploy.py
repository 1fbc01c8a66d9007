"""Deployments against the sandbox: what is planned, what is done, what is left alone."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, SignalKind, Status, Wait
from functions_app.models import AliasMove, AuditEntry, Plan, Run, RunStep
from functions_app.services.changes import deploy
from functions_app.services.engine import plan_ends, plans, signals
from functions_app.services.engine.steps import StepSpec
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from functions_app.services.sync import run as sync
from sandbox.images.making import make_index
from tests.conftest import Valkey
from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage, twice, with_step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own."""
    return make_stage(functions, operator)


def failed_checks(stage: Stage, image: str, alias: str = "staging") -> dict[str, str]:
    """The checks that forbid a deployment, name and text; the plan must not be stored."""
    made = deploy.plan(stage.function, image, alias, stage.actor)
    assert made.stored is None
    return {check.name: check.text for check in made.plan.checks if check.ok is False}


def refused(stage: Stage, image: str, alias: str = "staging") -> DrydockError:
    """The error planning raises."""
    with pytest.raises(DrydockError) as caught:
        deploy.plan(stage.function, image, alias, stage.actor)
    return caught.value


def problem(run: Run) -> dict[str, Any]:
    """What a failed run says."""
    assert run.status == Status.FAILED, log_of(run)
    assert run.problem is not None
    found: dict[str, Any] = run.problem
    return found


def test_a_deployment_moves_the_alias_to_the_image(stage: Stage) -> None:
    digest = stage.push("two", "2")
    run = stage.deploy("2")
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("2", {})
    assert stage.digest("staging") == digest
    assert run.result["told"] == [
        f"Code updated to {digest[7:19]} ($LATEST).",
        "Version 2 published.",
        "Alias staging points to version 2.",
    ]


def test_the_snapshot_shows_it_at_once(stage: Stage) -> None:
    digest = stage.push("two", "2")
    stage.deploy("2")
    stage.function.refresh_from_db()
    assert stage.function.digest == digest
    assert stage.function.aliases.get(name="staging").version == "2"
    assert AliasMove.objects.filter(alias="staging").first().version == "2"  # type: ignore[union-attr]


def test_a_tag_that_moves_after_the_deployment_shows_as_drift(stage: Stage) -> None:
    stage.push("two", "main")
    stage.deploy("main")
    version = stage.function.versions.get(number="2")
    assert (version.deployed_tag, "@sha256:" in version.image_uri) == ("main", True)
    stage.push("three", "main")
    carry_out(sync.submit(stage.actor))
    stage.function.refresh_from_db()
    assert stage.function.drifted
    assert [chip["drifted"] for chip in stage.function.alias_chips if chip["name"] == "staging"] == [True]


def test_every_step_may_be_done_twice(stage: Stage) -> None:
    digest = stage.push("two", "2")
    run = carry_out(stage.confirm(stage.plan("2")), twice(KINDS[Kind.DEPLOYMENT]))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.digest("staging") == digest
    assert [version["Version"] for version in stage.api.list_versions_by_function(FunctionName="app")["Versions"]] == [
        "$LATEST",
        "1",
        "2",
    ]


@pytest.mark.parametrize("lost", ["check", "update", "wait", "publish", "alias", "verify"])
def test_a_worker_that_dies_before_noting_a_step_is_followed_by_another(stage: Stage, lost: str) -> None:
    """The step's effect is in AWS, the database knows nothing of it: memory, result and status as before."""
    digest = stage.push("two", "2")
    run = stage.confirm(stage.plan("2"))

    def forget(context: Any) -> Done:
        if lost == "publish":
            del context.shared["version"]
        next(spec for spec in KINDS[Kind.DEPLOYMENT].steps({}) if spec.name == lost).action(context)
        return Done()

    following = {"check": "update", "update": "wait", "wait": "publish", "publish": "alias", "alias": "verify"}
    spec = StepSpec("again", "Again", forget)
    kinds = with_step(KINDS[Kind.DEPLOYMENT], following.get(lost, "refresh"), spec)
    RunStep.objects.create(run=run, position=99, name="again", title="Again", status="pending")
    done = carry_out(run, kinds)
    assert done.status == Status.SUCCEEDED, log_of(done)
    assert stage.read_alias() == ("2", {})
    assert stage.digest("staging") == digest


def test_a_tag_that_moves_after_planning_changes_nothing(stage: Stage) -> None:
    planned = stage.push("two", "2")
    stored = stage.plan("2")
    assert stage.push("three", "2") != planned
    run = carry_out(stage.confirm(stored))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.digest("staging") == planned


def test_a_function_changed_after_planning_is_left_alone(stage: Stage) -> None:
    stage.push("two", "2")
    stored = stage.plan("2")
    stage.functions.configure("app", MemorySize=256)
    before = stage.digest()
    run = carry_out(stage.confirm(stored))
    assert problem(run)["code"] == Code.CHANGED
    assert "Someone changed the function app" in problem(run)["message"]
    assert "review" in problem(run)["next_step"]
    assert (stage.digest(), stage.read_alias()) == (before, ("1", {}))


def test_an_alias_moved_after_planning_is_left_alone(stage: Stage) -> None:
    stage.push("two", "2")
    stored = stage.plan("2")
    stage.functions.next_version("app")
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="2")
    run = carry_out(stage.confirm(stored))
    assert problem(run)["code"] == Code.CHANGED
    assert stage.read_alias() == ("2", {})


def test_an_alias_moved_while_the_run_is_under_way_is_left_alone(stage: Stage) -> None:
    stage.push("two", "2")
    run = stage.confirm(stage.plan("2"))

    def meddle(context: Any) -> Done:
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1", Description="mine")
        return Done()

    RunStep.objects.create(run=run, position=99, name="meddle", title="Meddle", status="pending")
    run = carry_out(run, with_step(KINDS[Kind.DEPLOYMENT], "alias", StepSpec("meddle", "Meddle", meddle)))
    assert problem(run)["code"] == Code.CHANGED
    assert stage.read_alias() == ("1", {})
    assert "Version 2 published." in run.result["told"]


def test_old_weights_are_cleared(stage: Stage) -> None:
    stage.push("two", "2")
    stage.functions.next_version("app")
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1", RoutingConfig=weights)
    run = stage.deploy("2")
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias() == ("3", {})


def test_an_alias_is_put_back_with_its_weights_when_the_check_after_fails(
    stage: Stage, sandbox: Sandbox, account: str
) -> None:
    stage.push("two", "2")
    stage.functions.next_version("app")
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1", RoutingConfig=weights)
    run = stage.confirm(stage.plan("2"))

    def deny(context: Any) -> Done:
        assert stage.read_alias() == ("3", {})
        sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:GetFunction"]})
        return Done()

    RunStep.objects.create(run=run, position=99, name="deny", title="Deny", status="pending")
    run = carry_out(run, with_step(KINDS[Kind.DEPLOYMENT], "verify", StepSpec("deny", "Deny", deny)))
    assert problem(run)["code"] == Code.DENIED
    assert stage.read_alias() == ("1", {"2": 0.1})
    assert "Alias staging was put back to version 1 (90 %) and version 2 (10 %)." in run.result["told"]
    assert "Alias staging points to version 3." not in run.result["told"]


def test_a_new_alias_is_made_and_removed_again_when_the_check_after_fails(
    stage: Stage, sandbox: Sandbox, account: str
) -> None:
    stage.push("two", "2")
    run = stage.confirm(stage.plan("2", "canary"))

    def deny(context: Any) -> Done:
        assert stage.read_alias("canary") == ("2", {})
        sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:GetFunction"]})
        return Done()

    RunStep.objects.create(run=run, position=99, name="deny", title="Deny", status="pending")
    run = carry_out(run, with_step(KINDS[Kind.DEPLOYMENT], "verify", StepSpec("deny", "Deny", deny)))
    assert problem(run)["code"] == Code.DENIED
    with pytest.raises(stage.api.exceptions.ResourceNotFoundException):
        stage.read_alias("canary")


def test_an_alias_that_lambda_will_not_move_is_told_as_not_moved(stage: Stage, sandbox: Sandbox, account: str) -> None:
    stage.push("two", "2")
    sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:UpdateAlias"]})
    run = stage.deploy("2")
    assert problem(run)["code"] == Code.DENIED
    assert "lambda:UpdateAlias" in problem(run)["message"]
    assert run.result["told"][1:] == ["Version 2 published.", "Alias staging was not moved."]
    assert stage.read_alias() == ("1", {})


def test_a_new_alias_can_be_named(stage: Stage) -> None:
    stage.push("two", "2")
    run = stage.deploy("2", "canary")
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias("canary") == ("2", {})
    assert stage.read_alias("staging") == ("1", {})


def test_an_image_that_lambda_refuses_fails_the_run_and_moves_nothing(stage: Stage) -> None:
    digest = stage.push("two", "2")
    stored = stage.plan("2")
    stage.functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    run = carry_out(stage.confirm(stored))
    assert problem(run)["code"] in (Code.INVALID, Code.FAILED)
    assert stage.read_alias() == ("1", {})


def test_cancelling_says_what_was_really_done(stage: Stage) -> None:
    stage.push("two", "2")
    run = stage.confirm(stage.plan("2"))

    def cancel(context: Any) -> Wait | Done:
        if context.memory.setdefault("looks", 0):
            return Done()
        context.memory["looks"] = 1
        signals.give(run, SignalKind.CANCEL, stage.actor)
        return Wait(0)

    RunStep.objects.create(run=run, position=99, name="cancel", title="Cancel", status="pending")
    run = carry_out(run, with_step(KINDS[Kind.DEPLOYMENT], "alias", StepSpec("cancel", "Cancel", cancel)))
    assert run.status == Status.CANCELLED, log_of(run)
    assert stage.read_alias() == ("1", {})
    assert run.result["told"][1:] == ["Version 2 published.", "Alias staging was not moved."]


def test_deploying_what_latest_runs_only_moves_the_alias(stage: Stage) -> None:
    run = stage.deploy("1", "canary")
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.read_alias("canary") == ("1", {})


def test_a_second_deployment_is_refused_by_the_name_of_the_first(stage: Stage) -> None:
    stage.push("two", "2")
    first, second = stage.plan("2"), stage.plan("2", "canary")
    run = stage.confirm(first)
    with pytest.raises(DrydockError) as caught:
        stage.confirm(second)
    assert caught.value.problem.code is Code.BUSY
    assert f"Run {run.pk}" in caught.value.problem.message
    assert f"Run {run.pk}" in failed_checks(stage, "2", "canary")["Other changes"]
    assert carry_out(run).status == Status.SUCCEEDED
    # The plan was not used up, but what it was made from has changed.
    assert problem(carry_out(stage.confirm(second)))["code"] == Code.CHANGED


def test_an_expired_plan_changes_nothing(stage: Stage) -> None:
    stage.push("two", "2")
    stored = stage.plan("2")
    Plan.objects.filter(pk=stored.pk).update(expires_at=clock.now())
    with pytest.raises(DrydockError) as caught:
        stage.confirm(stored)
    assert caught.value.problem.code is Code.EXPIRED
    assert not Run.objects.exists()
    assert AuditEntry.objects.filter(
        action="deployment.apply", result__startswith="refused: This plan expired"
    ).exists()


def test_a_plan_is_used_once(stage: Stage) -> None:
    stage.push("two", "2")
    stored = stage.plan("2")
    run = stage.confirm(stored)
    with pytest.raises(DrydockError, match=f"run {run.pk}"):
        stage.confirm(stored)
    assert Run.objects.count() == 1
    assert plan_ends.run_of(Plan.objects.get(pk=stored.pk)) == run


def test_production_has_to_be_typed(stage: Stage) -> None:
    stage.push("two", "2")
    stage.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    stored = stage.plan("2", "live")
    with pytest.raises(DrydockError, match="type the name of the alias"):
        stage.confirm(stored, "staging")
    run = carry_out(stage.confirm(stored, "live"))
    assert run.status == Status.SUCCEEDED, log_of(run)


def test_somebody_elses_plan_is_not_applied(stage: Stage, superuser: User) -> None:
    stage.push("two", "2")
    with pytest.raises(DrydockError) as caught:
        plans.apply(stage.plan("2").pk, Actor(superuser))
    assert caught.value.problem.code is Code.DENIED


def test_a_viewer_is_refused_and_the_attempt_recorded(stage: Stage, viewer: Actor) -> None:
    with pytest.raises(DrydockError) as caught:
        deploy.plan(stage.function, "1", "staging", viewer)
    assert caught.value.problem.code is Code.DENIED
    assert AuditEntry.objects.get(actor=viewer.person).action == "deployment.plan"


def test_an_unknown_tag_is_told(stage: Stage) -> None:
    error = refused(stage, "nowhere").problem
    assert error.code is Code.NOT_FOUND
    assert "'nowhere'" in error.message
    assert not Plan.objects.exists()


def test_an_index_is_refused(stage: Stage, push: Push) -> None:
    index = make_index([python_image(architecture="amd64"), python_image(architecture="arm64")])
    push("app", index, ["multi"])
    text = failed_checks(stage, "multi")["Single image"]
    assert "index" in text
    assert stage.digest() == stage.function.digest


def test_the_wrong_architecture_is_refused(stage: Stage) -> None:
    stage.functions.push(python_image(architecture="arm64"), "app:arm")
    assert "linux/arm64" in failed_checks(stage, "arm")["Platform"]


def test_a_policy_that_denies_lambda_is_refused(stage: Stage) -> None:
    stage.push("two", "2")
    deny = {"Sid": "closed", "Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:*"}
    set_policy(stage, deny)
    assert "'closed'" in failed_checks(stage, "2")["Repository policy"]


def test_a_policy_that_denies_everybody_is_told_as_such(stage: Stage) -> None:
    stage.push("two", "2")
    set_policy(stage, {"Sid": "closed", "Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"})
    error = refused(stage, "2").problem
    assert error.code is Code.PREFLIGHT
    assert "'closed'" in error.message
    assert error.aws_code == "AccessDeniedException"


def set_policy(stage: Stage, statement: dict[str, Any]) -> None:
    """Set the policy of the function's repository."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.functions.ecr.set_repository_policy(repositoryName="app", policyText=text, force=True)


def test_another_account_without_a_grant_is_refused(stage: Stage, push: Push, client: ClientFactory) -> None:
    other = str(int(stage.account.account_id) + 7_000_000)
    push("shared", python_image(), ["1"], account=other)
    uri = stage.functions.uri("shared:1", account=other)
    # Its policy lets nobody in: neither Drydock, which says so, nor Lambda.
    with pytest.raises(DrydockError) as caught:
        deploy.plan(stage.function, uri, "staging", stage.actor)
    assert caught.value.problem.code in (Code.DENIED, Code.NOT_FOUND)


def test_another_region_is_refused(stage: Stage, push: Push) -> None:
    push("app", python_image(), ["1"], region="us-east-1")
    uri = stage.functions.uri("app:1", region="us-east-1")
    assert "us-east-1" in failed_checks(stage, uri)["Region"]


def test_a_registry_that_is_not_ecr_is_refused(stage: Stage) -> None:
    assert refused(stage, "docker.io/library/python:3").problem.code is Code.PREFLIGHT


def test_a_function_in_progress_is_left_alone(stage: Stage, clock: Any) -> None:
    stage.push("two", "2")
    with clock(update=60):
        stage.api.update_function_configuration(FunctionName="app", MemorySize=256)
    assert "InProgress" in failed_checks(stage, "2")["State"]


def test_who_else_manages_it_is_told(stage: Stage) -> None:
    stage.push("two", "2")
    stage.api.tag_resource(Resource=stage.function.arn, Tags={"managed-by": "terraform"})
    stored = stage.plan("2")
    assert any("terraform manages" in check["text"] for check in stored.body["checks"])


@pytest.mark.parametrize(("image", "alias"), [("", "staging"), ("a b", "staging"), ("1", ""), ("1", "12")])
def test_what_is_malformed_is_refused(stage: Stage, image: str, alias: str) -> None:
    assert refused(stage, image, alias).problem.code is Code.INVALID
