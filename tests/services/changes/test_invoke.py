"""Invocations against the sandbox: sent once, the log live and each line once, the answer told as it is."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from functions_app.domain.changes.invocations import Mode
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Queue, Status
from functions_app.models import AuditEntry, LogLine, Plan, Run, RunStep
from functions_app.services.changes import invoke as invocations
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from functions_app.services.tidy import tidy
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.run_kinds import execute
from tests.sandbox.functions import Functions, python_image, until
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage, taken_over_before

pytestmark = pytest.mark.django_db(transaction=True)

CHATTER = """
import time
def handler(event, context):
    for number in range(event.get("lines", 20)):
        print(f"line {number} " + "x" * event.get("width", 0), flush=True)
        time.sleep(event.get("pause", 0))
    return {"lines": event.get("lines", 20)}
"""
FAILING = """
class UpstreamError(Exception): pass
def handler(event, context):
    print("WARN about to fail", flush=True)
    raise UpstreamError("no payment")
"""
SLOW = "import time\ndef handler(event, context):\n    time.sleep(30)\n"


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function that answers with what it was sent."""
    return make_stage(functions, operator)


def become(stage: Stage, code: str, **settings: Any) -> None:
    """Let $LATEST run this code."""
    stage.functions.redeploy(python_image(code), "app")
    if settings:
        stage.functions.configure("app", **settings)
    stage.sync()


def invoke(stage: Stage, payload: Any = None, mode: Mode = Mode.SYNC, qualifier: str = "$LATEST") -> Run:
    """Submit and carry out."""
    text = payload if isinstance(payload, str) else json.dumps({} if payload is None else payload)
    return carry_out(invocations.submit(stage.function, qualifier, text, mode, stage.actor))


def function_lines(run: Run) -> list[str]:
    """What the function itself wrote."""
    return list(run.lines.filter(source="function").values_list("text", flat=True))


def calls(sandbox: Sandbox, stage: Stage) -> int:
    """How often Lambda was asked to invoke in this account."""
    return int(sandbox.admin("GET", f"calls?account={stage.account.account_id}").get("lambda.Invoke", 0))


def test_the_answer_and_its_figures_are_kept(stage: Stage) -> None:
    run = invoke(stage, {"a": 1}, qualifier="staging")
    assert run.status == Status.SUCCEEDED, log_of(run)
    answer = run.result["answer"]
    assert (answer["status"], answer["executed_version"], answer["payload"]) == (200, "1", '"one"')
    assert run.result["report"]["memory_mb"] == 128
    assert run.result["report"]["request_id"] == answer["request_id"]


def test_its_lines_come_once_each_and_in_order(stage: Stage) -> None:
    become(stage, CHATTER)
    run = invoke(stage, {"lines": 30})
    lines = function_lines(run)
    assert [line.split()[1] for line in lines if line.startswith("line")] == [str(number) for number in range(30)]
    assert sum(line.startswith("REPORT") for line in lines) == 1
    assert sum(line.startswith("START") for line in lines) == 1


def test_a_log_longer_than_the_tail_is_complete(stage: Stage) -> None:
    become(stage, CHATTER)
    run = invoke(stage, {"lines": 200, "width": 200})
    numbers = [line.split()[1] for line in function_lines(run) if line.startswith("line")]
    assert numbers == [str(number) for number in range(200)]
    assert not run.result["log_cut"]


def test_lines_arrive_while_it_runs(stage: Stage) -> None:
    become(stage, CHATTER, Timeout=30)
    run = invocations.submit(stage.function, "$LATEST", json.dumps({"lines": 30, "pause": 0.1}), Mode.SYNC, stage.actor)

    def work() -> None:
        try:
            carry_out(run)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    until(lambda: LogLine.objects.filter(run=run, text__startswith="line 2").exists())
    assert Run.objects.get(pk=run.pk).status == Status.RUNNING
    worker.join()
    numbers = [line.split()[1] for line in function_lines(run) if line.startswith("line")]
    assert numbers == [str(number) for number in range(30)]


def test_lines_of_another_invocation_at_the_same_time_are_not_ours(stage: Stage) -> None:
    become(stage, CHATTER, Timeout=30)
    other = threading.Thread(target=stage.functions.invoke, args=("app", {"lines": 15, "pause": 0.1}))
    run = invocations.submit(stage.function, "$LATEST", '{"lines": 10, "pause": 0.05}', Mode.SYNC, stage.actor)
    other.start()
    carry_out(run)
    other.join()
    lines = function_lines(run)
    ours = run.result["answer"]["request_id"]
    if not any("belong to another invocation" in line for line in log_of(run)):
        assert all(ours in line for line in lines if line.startswith(("START", "END", "REPORT")))
        assert sum(line.startswith("line") for line in lines) == 10
    assert sum(line.startswith("REPORT") and ours in line for line in lines) == 1


def test_a_failed_function_fails_the_run_and_is_told_apart(stage: Stage) -> None:
    become(stage, FAILING)
    run = invoke(stage)
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "the function itself failed (Unhandled): UpstreamError: no payment" in run.problem["message"]
    failure = run.result["answer"]["failure"]
    assert (failure["type"], failure["message"]) == ("UpstreamError", "no payment")
    assert any("no payment" in line or "handler" in line for line in failure["trace"])
    assert run.lines.get(text="WARN about to fail").level == "warning"


def test_a_timeout_is_the_functions_failure(stage: Stage) -> None:
    become(stage, SLOW, Timeout=1)
    run = invoke(stage)
    assert run.problem is not None
    assert "timed out" in run.problem["message"]
    assert run.result["answer"]["function_error"]


def test_asynchronous_is_accepted_with_its_request_id(stage: Stage) -> None:
    run = invoke(stage, mode=Mode.ASYNC)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.result["answer"]["status"] == 202
    assert run.result["answer"]["request_id"]


def test_a_dry_run_runs_nothing(stage: Stage) -> None:
    run = invoke(stage, mode=Mode.DRY_RUN)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.result["answer"]["status"] == 204
    assert stage.functions.lines() == []


@pytest.mark.parametrize("payload", ["{", "NaN", '{"a": }'])
def test_a_malformed_payload_is_refused_and_nothing_sent(stage: Stage, sandbox: Sandbox, payload: str) -> None:
    before = calls(sandbox, stage)
    with pytest.raises(DrydockError) as caught:
        invocations.submit(stage.function, "$LATEST", payload, Mode.SYNC, stage.actor)
    assert caught.value.problem.code is Code.INVALID
    assert not Run.objects.exists()
    assert calls(sandbox, stage) == before
    assert AuditEntry.objects.filter(action="invocation.plan", result__startswith="refused").exists()


def test_an_unknown_qualifier_is_refused(stage: Stage) -> None:
    with pytest.raises(DrydockError, match="no version or alias '99'"):
        invocations.submit(stage.function, "99", "{}", Mode.SYNC, stage.actor)


def test_a_viewer_is_refused(stage: Stage, viewer: Actor) -> None:
    with pytest.raises(DrydockError) as caught:
        invocations.submit(stage.function, "$LATEST", "{}", Mode.SYNC, viewer)
    assert caught.value.problem.code is Code.DENIED


def test_the_payload_is_forgotten_once_it_was_sent(stage: Stage) -> None:
    payload = json.dumps({"password": "hunter2-hunter2"})
    run = invocations.submit(stage.function, "$LATEST", payload, Mode.SYNC, stage.actor)
    assert "hunter2" not in json.dumps(run.plan)
    assert "hunter2" in json.dumps(Plan.objects.get().body)
    carry_out(run)
    assert "hunter2" not in json.dumps(Plan.objects.get().body)
    assert "hunter2" not in json.dumps([entry.plan for entry in AuditEntry.objects.all()])


def test_a_worker_that_died_while_it_was_sent_is_not_followed_by_a_second_call(stage: Stage, sandbox: Sandbox) -> None:
    run = invocations.submit(stage.function, "$LATEST", "{}", Mode.SYNC, stage.actor)
    before = calls(sandbox, stage)
    RunStep.objects.filter(run=run, name="check").update(status="done")
    RunStep.objects.filter(run=run, name="invoke").update(status="running")
    run = carry_out(run)
    assert run.problem is not None
    assert run.problem["code"] == Code.UNKNOWN_OUTCOME
    assert calls(sandbox, stage) == before


@pytest.mark.parametrize("mode", [Mode.SYNC, Mode.ASYNC])
def test_a_worker_that_was_frozen_sends_nothing_when_it_wakes_and_its_run_is_anothers(
    stage: Stage, sandbox: Sandbox, mode: Mode
) -> None:
    run = invocations.submit(stage.function, "$LATEST", "{}", mode, stage.actor)
    assert not execute(run, "frozen", taken_over_before(KINDS[Kind.INVOCATION], "invoke"))
    run.refresh_from_db()
    assert run.problem is not None
    assert run.problem["code"] == Code.UNKNOWN_OUTCOME
    assert calls(sandbox, stage) == 0


def test_a_second_look_at_a_sent_plan_sends_nothing(stage: Stage, sandbox: Sandbox) -> None:
    run = invoke(stage)
    before = calls(sandbox, stage)
    RunStep.objects.filter(run=run, name="invoke").update(status="pending")
    Run.objects.filter(pk=run.pk).update(status=Status.QUEUED)
    again = carry_out(Run.objects.get(pk=run.pk))
    assert again.status == Status.FAILED
    assert calls(sandbox, stage) == before


def test_an_inactive_function_is_explained_and_not_called_again(stage: Stage, sandbox: Sandbox) -> None:
    put_into_state(sandbox, stage, "Inactive", "Idle")
    before = calls(sandbox, stage)
    run = invoke(stage)
    assert run.problem is not None
    assert run.problem["aws_code"] == "CodeArtifactUserPendingException"
    assert "waking up" in run.problem["message"]
    assert "in a minute" in run.problem["next_step"]
    assert calls(sandbox, stage) == before + 1


def test_a_failed_function_is_not_said_to_be_busy(stage: Stage, sandbox: Sandbox) -> None:
    put_into_state(sandbox, stage, "Failed", "ImageAccessDenied")
    run = invoke(stage)
    assert run.problem is not None
    assert run.problem["aws_code"] == "ResourceConflictException"
    assert "can't start it" in run.problem["message"]
    assert "Deploy an image" in run.problem["next_step"]


def test_throttled_is_a_failed_call_not_a_failed_function(stage: Stage) -> None:
    stage.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    run = invoke(stage)
    assert run.problem is not None
    assert run.problem["code"] == Code.THROTTLED
    assert "answer" not in run.result


def test_invocations_have_a_queue_of_their_own() -> None:
    assert KINDS[Kind.INVOCATION].queue is Queue.INVOCATIONS


def put_into_state(sandbox: Sandbox, stage: Stage, state: str, reason_code: str) -> None:
    """As weeks without a call, or an image that can't be pulled any more, leave it."""
    where = {"account": stage.account.account_id, "region": "eu-west-1", "name": "app"}
    sandbox.admin("POST", "function-state", where | {"state": state, "reason_code": reason_code})


def test_a_tenant_isolated_function_is_called_for_the_tenant_that_is_named(
    functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey, sandbox: Sandbox
) -> None:
    isolated = make_stage(functions, operator, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    run = carry_out(invocations.submit(isolated.function, "staging", "{}", Mode.SYNC, operator, "shop-1"))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.title == "Invoke app:staging for tenant shop-1"
    without = invoke(isolated, qualifier="staging")
    assert without.problem is not None
    assert "a call has to name its tenant. Nothing was sent." in without.problem["message"]
    assert calls(sandbox, isolated) == 1


def test_a_tenant_named_for_any_other_function_is_not_sent(stage: Stage, sandbox: Sandbox) -> None:
    run = carry_out(invocations.submit(stage.function, "staging", "{}", Mode.SYNC, stage.actor, "shop-1"))
    assert run.problem is not None
    assert "takes no tenant's id" in run.problem["message"]
    assert calls(sandbox, stage) == 0


def test_what_is_no_id_of_a_tenant_is_refused_before_anything_is_planned(stage: Stage) -> None:
    with pytest.raises(DrydockError, match="can't be the id of a tenant"):
        invocations.submit(stage.function, "staging", "{}", Mode.SYNC, stage.actor, "a;b")
    assert not Plan.objects.exists()


class Test_an_invocation_that_was_throttled:
    @pytest.fixture
    def refused(self, stage: Stage) -> Run:
        """What Lambda had no room for; by now it has."""
        stage.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
        run = invoke(stage, {"order": 7})
        stage.api.delete_function_concurrency(FunctionName="app")
        return run

    def test_is_said_not_to_have_been_executed_and_is_not_repeated(
        self, sandbox: Sandbox, stage: Stage, refused: Run
    ) -> None:
        assert refused.problem is not None
        assert refused.problem["code"] == Code.THROTTLED
        assert refused.problem["message"].startswith("app was not executed.")
        assert "Nothing ran" in refused.problem["next_step"]
        assert calls(sandbox, stage) == 1

    def test_is_invoked_again_with_its_payload_by_one_click_however_often(
        self, sandbox: Sandbox, stage: Stage, refused: Run
    ) -> None:
        become(stage, "def handler(event, context):\n    return event\n")
        run = invocations.again(refused, stage.actor)
        assert invocations.again(refused, stage.actor) == run
        carry_out(run)
        assert (run.status, json.loads(run.result["answer"]["payload"])) == (Status.SUCCEEDED, {"order": 7})
        assert invocations.again(refused, stage.actor) == run
        assert calls(sandbox, stage) == 2

    def test_keeps_its_payload_no_longer_than_its_plan(self, stage: Stage, refused: Run) -> None:
        assert refused.made_from is not None
        tidy(refused.made_from.expires_at + timedelta(seconds=1))
        with pytest.raises(DrydockError, match="kept no longer"):
            invocations.again(Run.objects.get(pk=refused.pk), stage.actor)


def test_what_was_executed_is_not_repeated_by_one_click(stage: Stage) -> None:
    run = invoke(stage)
    with pytest.raises(DrydockError, match="it can't be repeated"):
        invocations.again(run, stage.actor)
