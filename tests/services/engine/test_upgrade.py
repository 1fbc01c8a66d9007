"""An upgrade from the last state (migration 0006) with runs under way: they end right, and nobody becomes another."""

import importlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from functions_app import clock as product_clock
from functions_app import runlog
from functions_app.domain.changes.invocations import InvocationPlan, Mode, check_payload
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Priority, SignalKind, Status
from functions_app.models import AuditEntry, Plan, Run, Signal
from functions_app.services.changes import deploy
from functions_app.services.changes.function_places import place_of
from functions_app.services.engine import hand_out, plan_ends, plans, signals
from functions_app.services.inventory.audit import AuditFilter, audit_list
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import ECHO, Functions, python_image
from tests.services.changes.aws_between import Between, error
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage
from tests.services.engine.last_state import DEAD, POINTS, LastState, deploying, last_state

__all__ = ["last_state"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

HOUR = timedelta(hours=1)
PAYLOAD = '{"order": 17}'


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own, and an image to deploy."""
    made = make_stage(functions, operator)
    made.push("two", "2")
    return made


def frozen(stage: Stage, alias: str = "staging") -> Any:
    """What would be deployed; nothing is stored."""
    made = deploy.plan(stage.function, "2", alias, stage.actor)
    Plan.objects.all().delete()
    return made.plan


def an_invocation(stage: Stage) -> InvocationPlan:
    check = check_payload(PAYLOAD, Mode.SYNC)
    return InvocationPlan(place_of(stage.function), "$LATEST", Mode.SYNC, check.size_bytes, check.sha256)


def ago(long: timedelta = HOUR) -> Any:
    """So long ago: an upgrade may take its time."""
    return product_clock.now() - long


def a_deployment(old: LastState, stage: Stage, made: Any, point: str, **facts: Any) -> Any:
    """One that came so far in the last state."""
    run = old.run(old.plan(Kind.DEPLOYMENT, made, stage), stage)
    for reached in deploying(run, stage):
        if reached == point:
            break
    old.store(run, point.partition(",")[0], **facts)
    return run


def steps(run: Run) -> dict[str, str]:
    return {step.name: step.status for step in run.steps.all()}


def assert_deployed(stage: Stage, run: Run) -> None:
    """As if there had been no upgrade."""
    assert run.status == Status.SUCCEEDED, (run.problem, log_of(run))
    assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
    assert stage.digest("staging") == run.plan["to_digest"]
    assert [told.partition(" ")[0] for told in run.result["told"]] == ["Code", "Version", "Alias"]
    assert run.result["told"][-2:] == ["Version 2 published.", "Alias staging points to version 2."]
    assert run.result["summary"].startswith("Succeeded: 7 of 7 steps")
    assert stage.function.versions.get(number="2").deployed_tag == "2"
    assert_recorded_once(run)


def assert_recorded_once(run: Run) -> None:
    """Its log goes on without a gap, the audit has its beginning and its end, by the same person."""
    assert [line.sequence for line in runlog.read(run.pk)] == list(range(1, run.line_count + 1))
    entries = AuditEntry.objects.filter(run=run).order_by("pk").values_list("action", "actor_name", "via")
    assert list(entries) == [
        (f"{run.kind}.submit", "olga", "browser"),
        (f"{run.kind}.{run.status}", "olga", "browser"),
    ]


class Test_a_deployment:
    @pytest.mark.parametrize("point", POINTS)
    def test_whose_worker_died_ends_as_if_there_had_been_no_upgrade(
        self, stage: Stage, last_state: type[LastState], point: str
    ) -> None:
        made, old = frozen(stage), last_state()
        run = old.today(a_deployment(old, stage, made, point, **DEAD, lease_until=ago()))
        assert hand_out.hand_out_due() == 1
        assert_deployed(stage, carry_out(run))
        assert run.made_from == Plan.objects.get()

    def test_that_nobody_began_is_done(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = frozen(stage), last_state()
        run = old.today(old.run(old.plan(Kind.DEPLOYMENT, made, stage), stage))
        assert (run.status, run.priority, run.via) == (Status.QUEUED, Priority.PERSON, "browser")
        assert_deployed(stage, carry_out(run))

    def test_that_waits_goes_on_waiting_however_long_the_upgrade_took(
        self, stage: Stage, last_state: type[LastState], clock: Any
    ) -> None:
        made, old = frozen(stage), last_state()
        with clock(update=4):  # Lambda is still at it
            began = {"started_at": ago(), "wake_at": ago(HOUR - timedelta(minutes=1))}
            run = a_deployment(old, stage, made, "wait, for the second look", status="waiting", **began)
        run = old.today(run)
        assert hand_out.hand_out_due() == 1
        assert_deployed(stage, carry_out(run))

    def test_whose_cancellation_was_asked_for_while_it_waited_is_cancelled(
        self, stage: Stage, last_state: type[LastState]
    ) -> None:
        made, old = frozen(stage), last_state()
        asked = {"cancel_requested_at": ago(), "cancel_requested_by": "vera", "wake_at": ago(), "status": "waiting"}
        run = carry_out(old.today(a_deployment(old, stage, made, "wait, for the second look", **asked)))
        assert run.status == Status.CANCELLED
        assert run.result["summary"] == (
            "Cancelled by vera. Done and kept: Check again, Update the code. Begun, not finished: Wait for Lambda to "
            "take the image. Not done: Publish a version, Point the alias, Read back and compare, Refresh the snapshot."
        )
        signal = Signal.objects.get()
        assert (signal.run, signal.kind, signal.actor_name, signal.via) == (run, SignalKind.CANCEL, "vera", "browser")
        assert signal.at == asked["cancel_requested_at"]
        assert stage.read_alias() == ("1", {})
        assert_recorded_once(run)

    def test_whose_cancellation_was_asked_for_when_its_worker_died_is_taken_back_and_no_step_seems_under_way(
        self, stage: Stage, last_state: type[LastState]
    ) -> None:
        made, old = frozen(stage), last_state()
        asked = {"cancel_requested_at": ago(), "cancel_requested_by": "olga", **DEAD, "lease_until": ago()}
        run = carry_out(old.today(a_deployment(old, stage, made, "verify", **asked)))
        assert (run.status, stage.read_alias()) == (Status.CANCELLED, ("1", {}))
        assert (steps(run)["alias"], steps(run)["verify"]) == ("undone", "waiting")

    def test_can_be_cancelled_and_paused_afterwards(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = frozen(stage), last_state()
        waiting = {"status": "waiting", "wake_at": ago(), "started_at": ago()}
        run = old.today(a_deployment(old, stage, made, "wait, for the second look", **waiting))
        assert signals.give(run, SignalKind.PAUSE, stage.actor)
        assert signals.give(run, SignalKind.CANCEL, stage.actor)
        assert carry_out(run).result["summary"].startswith("Cancelled by olga.")

    def test_that_was_being_taken_back_is_taken_back_though_the_first_try_after_the_upgrade_is_throttled(
        self, stage: Stage, last_state: type[LastState], between: Between
    ) -> None:
        refused = [error(429, "TooManyRequestsException", "Rate exceeded.")]
        between.guards[f"PUT /functions/{stage.name}/aliases/staging"] = lambda: refused.pop() if refused else None
        made, old = frozen(stage), last_state()
        run = old.today(taking_back(old, stage, made))
        assert hand_out.hand_out_due() == 1
        run = carry_out(run)
        assert (run.status, stage.read_alias()) == (Status.FAILED, ("1", {}))
        assert not refused
        assert run.problem is not None
        assert run.problem["message"] == "Read back, it was another."
        assert (steps(run)["alias"], steps(run)["verify"]) == ("undone", "failed")
        assert run.result["told"][-1] == "Alias staging was put back to version 1."
        assert run.result["summary"].endswith("Undone: Point the alias. Not done: Refresh the snapshot.")
        assert "Undo: Point the alias" not in log_of(run)  # the last state's worker has told it
        assert_recorded_once(run)

    @pytest.mark.parametrize("named", ["no id", "5732031a-b9fd-4cde-9ce8-27ed79f0cd03", 17, None])
    def test_whose_plan_is_gone_ends_all_the_same(
        self, stage: Stage, last_state: type[LastState], named: object
    ) -> None:
        made, old = frozen(stage), last_state()
        run = old.run(old.plan(Kind.DEPLOYMENT, made, stage), stage)
        run.plan["plan_id"] = named
        run.save()
        run = carry_out(old.today(run))
        assert run.made_from is None
        assert_deployed(stage, run)


def taking_back(old: LastState, stage: Stage, made: Any) -> Any:
    """A deployment between two tries of its undo, an hour ago."""
    run = a_deployment(old, stage, made, "refresh")
    run.steps.filter(name="verify").update(status="failed", note="Read back, it was another.")
    run.steps.filter(name="refresh").update(status="pending", started_at=None)
    run.status, run.lease_until, run.started_at = "undoing", ago(), ago(2 * HOUR)
    run.problem = {"code": "failed", "message": "Read back, it was another.", "next_step": ""}
    run.memory |= {"undoing": "alias", "undo_looks": 2, "looks": 5}
    run.save()
    return run


class Test_an_invocation:
    @pytest.fixture(autouse=True)
    def _echo(self, stage: Stage) -> None:
        stage.functions.redeploy(python_image(ECHO), stage.name)
        stage.sync()

    def test_that_nobody_began_sends_the_payload_that_its_plan_kept(
        self, stage: Stage, last_state: type[LastState]
    ) -> None:
        made, old = an_invocation(stage), last_state()
        plan = old.plan(Kind.INVOCATION, made, stage, payload=PAYLOAD)
        run = carry_out(old.today(old.run(plan, stage)))
        assert run.status == Status.SUCCEEDED, (run.problem, log_of(run))
        assert json.loads(run.result["answer"]["payload"]) == json.loads(PAYLOAD)
        assert "order" not in str((run.plan, Plan.objects.get().body, list(AuditEntry.objects.values_list("plan"))))

    def test_that_had_been_read_sends_it_too(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = an_invocation(stage), last_state()
        plan = old.plan(Kind.INVOCATION, made, stage, payload=PAYLOAD)
        run = old.run(plan, stage)
        run.memory = {"timeout_s": 3, "log_group": f"/aws/lambda/{stage.name}", "versions": ["$LATEST"]}
        old.store(run, "invoke", **DEAD, lease_until=ago())
        run.steps.filter(name="invoke").update(status="pending", started_at=None)
        run = carry_out(old.today(run))
        assert run.status == Status.SUCCEEDED, (run.problem, log_of(run))
        assert json.loads(run.result["answer"]["payload"]) == json.loads(PAYLOAD)

    def test_that_was_being_sent_is_not_sent_again_and_says_that_nobody_knows(
        self, stage: Stage, last_state: type[LastState], sandbox: Sandbox
    ) -> None:
        made, old = an_invocation(stage), last_state()
        run = old.run(old.plan(Kind.INVOCATION, made, stage), stage)  # its payload is forgotten
        old.store(run, "invoke", **DEAD, lease_until=ago())
        run = carry_out(old.today(run))
        assert run.problem is not None
        assert (run.status, run.problem["code"]) == (Status.FAILED, Code.UNKNOWN_OUTCOME)
        assert sandbox.admin("GET", f"calls?account={stage.account.account_id}").get("lambda.Invoke", 0) == 0
        assert_recorded_once(run)


class Test_a_plan:
    def test_that_was_not_confirmed_is_confirmed_by_its_maker_who_types_what_must_be_typed(
        self, stage: Stage, last_state: type[LastState], superuser: User
    ) -> None:
        made, old = frozen(stage, "live"), last_state()
        stored = old.plan(Kind.DEPLOYMENT, made, stage, applied_at=None)
        old.upgrade()
        for typed, actor, code in (("", stage.actor, Code.INVALID), ("live", Actor(superuser), Code.DENIED)):
            with pytest.raises(DrydockError) as refused:
                plans.apply(stored.pk, actor, typed)
            assert refused.value.problem.code is code
        run = carry_out(plans.apply(stored.pk, stage.actor, "live"))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (run.title, run.lock) == (f"Deploy app:2 to {stage.name}:live", stage.function.arn)
        assert stage.read_alias("live") == ("2", {})
        with pytest.raises(DrydockError, match=f"became run {run.pk}"):
            plans.apply(stored.pk, stage.actor, "live")

    def test_that_was_confirmed_names_its_run(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = frozen(stage), last_state()
        stored = old.plan(Kind.DEPLOYMENT, made, stage)
        run = old.today(old.run(stored, stage))
        with pytest.raises(DrydockError, match=f"became run {run.pk}"):
            plans.apply(stored.pk, stage.actor)
        assert plan_ends.run_of(Plan.objects.get()) == run

    def test_whose_function_was_deleted_says_so(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = frozen(stage), last_state()
        stored = old.plan(Kind.DEPLOYMENT, made, stage, applied_at=None)
        old.model("Function").objects.all().delete()
        old.upgrade()
        with pytest.raises(DrydockError, match="no longer known") as refused:
            plans.apply(stored.pk, stage.actor)
        assert refused.value.problem.code is Code.NOT_FOUND
        assert AuditEntry.objects.get(action="deployment.apply").target == made.place.arn

    def test_has_its_common_facts_in_columns_however_long_they_are(
        self, stage: Stage, last_state: type[LastState]
    ) -> None:
        old = last_state()
        frozen_patch = {"title": "Bring forward 3", "function_id": 0, "stream": "python:3.12", "entries": []}
        bodies = [frozen_patch, {"title": "é" * 900, "function_id": stage.function.pk, "target": "12", "confirm": "7"}]
        now = product_clock.now()
        for body in bodies:
            old.model("Plan").objects.create(kind="patch", body=body, created_at=now, expires_at=now)
        old.upgrade()
        found = Plan.objects.order_by("-title").values_list("title", "target", "function", "lock", "confirmation")
        assert list(found) == [
            ("é" * 300, "12", stage.function.pk, "", "7"),
            ("Bring forward 3", "python:3.12", None, "", ""),
        ]
        assert [plan.body for plan in Plan.objects.order_by("title")] == bodies


class Test_who:
    def test_it_was_is_told_as_before_and_nobody_becomes_another(self, last_state: type[LastState]) -> None:
        person = User.objects.create_user("schedule")
        old = last_state()
        old.submitted(Kind.SYNC, "its own", {"scopes": None, "full": False}, None)
        old.submitted(Kind.SYNC, "a person's", {"scopes": None, "full": True}, Actor(person))
        old.submitted(Kind.SYNC, "a deleted one's", {"scopes": None, "full": True}, None, actor_name="paula")
        for name in ("root (shell)", "(unknown name)", "schedule", "shell"):
            old.audited("x", name, actor_name=name)
        old.upgrade()
        rows = Run.objects.order_by("pk").values_list("title", "actor", "actor_name", "via", "priority")
        assert list(rows) == [
            ("its own", None, "the schedule", "schedule", Priority.SCHEDULE),
            ("a person's", person.pk, "schedule", "browser", Priority.PERSON),
            ("a deleted one's", None, "paula", "browser", Priority.PERSON),
        ]
        told = [(row.result, row.actor_name) for row in audit_list(AuditFilter(), 1).rows if row.action == "x"]
        assert dict(told) == {
            "root (shell)": "root via shell",
            "(unknown name)": "(unknown name)",
            "schedule": "the schedule",
            "shell": "shell",
        }

    def test_the_schedule_s_runs_end_without_an_audit_entry_and_the_person_s_with_one(
        self, stage: Stage, last_state: type[LastState]
    ) -> None:
        person = User.objects.create_user("schedule")
        old = last_state()
        for actor in (None, Actor(person)):
            run = old.submitted(Kind.SYNC, "Sync all accounts", {"scopes": None, "full": False}, actor)
            old.store(run, "judge", **DEAD, lease_until=ago())
            run.memory, run.result = {"images": [1, 2]}, {"scopes": {"read": 1, "failed": 0}}
            run.save()
        old.upgrade()
        done = [carry_out(run).status for run in Run.objects.order_by("pk")]
        assert done == [Status.SUCCEEDED, Status.SUCCEEDED], [log_of(run) for run in Run.objects.all()]
        ends = AuditEntry.objects.filter(action="sync.succeeded").values_list("actor", "actor_name", "via")
        assert list(ends) == [(person.pk, "schedule", "browser")]


class Test_a_run_that_had_ended:
    def test_is_as_it_was(self, stage: Stage, last_state: type[LastState]) -> None:
        made, old = frozen(stage), last_state()
        facts = {"wake_at": None, "started_at": ago(), "ended_at": ago(), "memory": {"version": "2", "checked": True}}
        asked = {"cancel_requested_at": ago(), "cancel_requested_by": "olga"}
        told = {"result": {"summary": "Cancelled by olga. Nothing was done."}}
        plan = old.plan(Kind.DEPLOYMENT, made, stage)
        before = old.run(plan, stage, status="cancelled", **facts, **asked, **told)
        run = old.today(before)
        assert (run.status, run.result, run.memory) == (Status.CANCELLED, before.result, before.memory)
        assert (run.ended_at, run.lock, run.made_from_id) == (before.ended_at, stage.function.arn, plan.pk)
        assert all(step.memory == {} for step in run.steps.all())
        assert hand_out.hand_out_due() == 0
        assert_deployed(stage, stage.deploy("2"))  # its lock keeps nobody away


def test_more_rows_than_a_batch_has_are_all_brought_along(
    stage: Stage, last_state: type[LastState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows are read a batch at a time, and written between two of them."""
    made, old = frozen(stage), last_state()
    plans_of_then = [old.plan(Kind.DEPLOYMENT, made, stage) for _ in range(7)]
    asked = {"cancel_requested_at": ago(), "cancel_requested_by": "olga"}
    then = [old.run(plan, stage, lock="", memory={"n": str(plan.pk)}, **asked) for plan in plans_of_then]
    monkeypatch.setattr(importlib.import_module("functions_app.migrations.0007_engine"), "BATCH", 3)
    old.upgrade()
    for run, plan in zip(then, plans_of_then, strict=True):
        today = Run.objects.get(pk=run.pk)
        assert today.made_from_id == plan.pk
        assert {step.memory["n"] for step in today.steps.all()} == {str(plan.pk)}
        assert today.signals.count() == 1
