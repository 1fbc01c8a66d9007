"""Only Active with its last update Successful is ready: any other state refuses a plan and ends no run well."""

import json

import pytest

from functions_app.domain.runs import Status
from functions_app.services.changes import deploy as deployments
from functions_app.services.changes import roll_back
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.run_kinds import execute
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, Rule
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
UNREADY = ["Deleting", "Deactivating", "Deactivated", "ActiveNonInvocable", "Hibernating"]


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function whose alias is on version 1, and an image to deploy."""
    made = make_stage(functions, operator)
    made.push("two", "2")
    return made


def put(sandbox: Sandbox, stage: Stage, version: str, **more: object) -> None:
    where = {"account": stage.account.account_id, "region": "eu-west-1", "name": "app", "version": version}
    sandbox.admin("POST", "function-state", where | more)


def in_version(number: str, **members: str) -> Rule:
    """What GetFunction tells of this version, with these members changed."""

    def changed(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        if told.get("Configuration", {}).get("Version") == number:
            told["Configuration"] |= members
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    return changed


@pytest.mark.parametrize("state", UNREADY)
def test_a_function_in_such_a_state_is_not_deployed_to(stage: Stage, sandbox: Sandbox, state: str) -> None:
    put(sandbox, stage, "$LATEST", state=state)
    made = deployments.plan(stage.function, "2", "staging", stage.actor)
    assert made.stored is None
    assert [(check.ok, state in check.text) for check in made.plan.checks if check.name == "State"] == [(False, True)]


@pytest.mark.parametrize("state", UNREADY)
def test_an_alias_is_not_rolled_back_to_a_version_in_such_a_state(stage: Stage, sandbox: Sandbox, state: str) -> None:
    assert stage.deploy("2").status == Status.SUCCEEDED
    put(sandbox, stage, "1", state=state)
    made = roll_back.plan(stage.function, "staging", "1", stage.actor)
    assert made.stored is None
    assert [(check.ok, state in check.text) for check in made.plan.checks if check.name == "Version"] == [(False, True)]


@pytest.mark.parametrize("state", ["Deleting", "Deactivating", "Deactivated"])
def test_a_version_that_will_not_become_ready_fails_the_run_before_the_alias_moves(
    stage: Stage, between: Between, state: str
) -> None:
    between.rules["GET /functions/app"] = in_version("2", State=state)
    run = stage.deploy("2")
    assert run.status == Status.FAILED, log_of(run)
    assert f"it is {state}" in str(run.problem)
    assert stage.read_alias() == ("1", {})


@pytest.mark.parametrize(
    "members",
    [
        {"State": "Hibernating"},
        {"State": "ActiveNonInvocable"},
        {"State": "Inactive"},
        {"LastUpdateStatus": "Postponed"},
    ],
)
def test_a_version_that_may_become_ready_is_waited_for(stage: Stage, between: Between, members: dict[str, str]) -> None:
    between.rules["GET /functions/app"] = in_version("2", **members)
    run = stage.confirm(stage.plan("2"))
    for _turn in range(8):
        execute(run, f"worker {_turn}")
        run.refresh_from_db()
        if run.steps.get(name="publish").status == "waiting":
            break
        type(run).objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=run.created_at)
    assert next(iter(members.values())) in run.steps.get(name="publish").note
    assert stage.read_alias() == ("1", {})
    between.rules.clear()
    assert carry_out(run).status == Status.SUCCEEDED
    assert stage.read_alias() == ("2", {})


def test_an_inactive_function_that_has_the_image_already_is_to_be_woken_first(stage: Stage, sandbox: Sandbox) -> None:
    put(sandbox, stage, "$LATEST", state="Inactive", reason_code="Idle")
    made = deployments.plan(stage.function, "1", "staging", stage.actor)
    assert made.stored is None
    assert "Invoke it once" in " ".join(check.text for check in made.plan.checks)
