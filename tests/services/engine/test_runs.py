"""Runs in one process: steps, waits, failure and undo, cancellation, locks, leases."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings

from functions_app import clock, runlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import LEASE, Done, Kind, Outcome, SignalKind, Status, StepStatus, Wait
from functions_app.models import AuditEntry, Run
from functions_app.services.engine import leases, runs, signals
from functions_app.services.engine.leases import Lease, LeaseLost
from functions_app.services.engine.steps import Cancelled, Context, RunKind, StepSpec, always
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.conftest import Valkey
from tests.processes import eventually
from tests.run_kinds import KINDS, count, execute

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "test_kinds")]


@pytest.fixture
def test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


def submit(folder: Path, actor: Actor = SCHEDULE, lock: str = "", **plan: Any) -> Run:
    plan = {"folder": str(folder), **plan}
    return runs.submit(Kind.DEPLOYMENT, title="A change", plan=plan, actor=actor, lock=lock)


def carry_on(run: Run, times: int = 1) -> Run:
    """Claim it as a worker would; waits are over at once."""
    for number in range(times):
        Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=clock.now())
        execute(run, f"worker {number}")
    run.refresh_from_db()
    return run


def steps(run: Run) -> dict[str, str]:
    return {step.name: step.status for step in run.steps.all()}


def texts(run: Run) -> list[str]:
    return [line.text for line in runlog.read(run.pk)]


def doing(action: Any) -> dict[Kind, RunKind]:
    """A kind of one step."""
    return {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always((StepSpec("prepare", "Prepare", action),)))}


class Test_a_run:
    def test_does_its_steps_in_order_and_succeeds(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path))
        assert run.status == Status.SUCCEEDED
        assert steps(run) == {"prepare": "done", "change": "done", "settle": "done", "check": "skipped"}
        assert run.result["changed"] is True
        assert run.lease_owner == ""
        assert run.lease_until is None
        assert run.ended_at is not None

    def test_tells_every_step_in_its_log(self, tmp_path: Path) -> None:
        said = texts(carry_on(submit(tmp_path)))
        assert said[0] == "Step 1 of 4: Prepare"
        assert said[-1].startswith("Succeeded: 4 of 4 steps")

    def test_has_log_numbers_without_gap_and_counts_them(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, lines=1200))
        numbers = [line.sequence for line in runlog.read(run.pk, limit=5000)]
        assert numbers == list(range(1, run.line_count + 1))

    def test_waits_without_a_worker_and_goes_on_later(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, waits=1, seconds=30))
        assert run.status == Status.WAITING
        assert run.wake_at is not None
        assert run.lease_owner == ""
        assert steps(run)["settle"] == "waiting"
        assert carry_on(run).status == Status.SUCCEEDED

    def test_is_not_woken_before_its_time(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, waits=1, seconds=30))
        assert execute(run, "eager") is False

    def test_finds_nothing_to_do_for_a_message_that_comes_again(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path))
        assert execute(run, "redelivered") is False
        assert count(tmp_path, "change") == 1

    def test_of_which_nobody_knows_is_nothing_to_do(self) -> None:
        assert runs.execute(987654, "nobody") is False

    def test_fails_when_a_step_waits_beyond_its_limit(self, tmp_path: Path) -> None:
        def never(context: Context) -> Outcome:
            return Wait(0, "still pending")

        spec = StepSpec("prepare", "Prepare", never, limit=timedelta(0))
        run = submit(tmp_path)
        execute(run, "worker", {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always((spec,)))})
        run.refresh_from_db()
        assert run.status == Status.FAILED
        assert run.problem is not None
        assert "still pending" in run.problem["message"]

    def test_keeps_secrets_out_of_notes_and_results_of_failures(self, tmp_path: Path) -> None:
        def leaks(context: Context) -> Outcome:
            raise DrydockError(Code.FAILED, "refused: password=hunter2")

        run = submit(tmp_path)
        execute(run, "worker", doing(leaks))
        assert not any("hunter2" in text for text in texts(run))
        run.refresh_from_db()
        assert "hunter2" not in str(run.problem)

    @pytest.mark.parametrize(
        ("way", "status"),
        [
            ("done", Status.SUCCEEDED),
            ("refused", Status.FAILED),
            ("broken", Status.FAILED),
            ("cancelled", Status.CANCELLED),
            ("late", Status.FAILED),
        ],
    )
    def test_ends_whatever_text_it_meets_outside(self, tmp_path: Path, way: str, status: Status) -> None:
        hostile = "half \ud83d and nothing \0 \u202e"

        def meets(context: Context) -> Outcome:
            context.result[hostile] = context.memory[hostile] = [{hostile: hostile}]
            context.log.info(hostile)
            if way == "refused":
                raise DrydockError(Code.FAILED, hostile, next_step=hostile, aws_code=hostile, request_id=hostile)
            if way == "broken":
                raise KeyError(hostile)
            if way == "cancelled":
                raise Cancelled(hostile)
            return Wait(0, hostile) if way == "late" else Done(hostile)

        spec = StepSpec("prepare", "Prepare", meets, limit=timedelta(0) if way == "late" else None)
        run = submit(tmp_path)
        execute(run, "worker", {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always((spec,)))})

        run.refresh_from_db()
        notes = [step.note for step in run.steps.all()]
        stored = json.dumps([run.result, run.memory, run.problem, notes, texts(run)], ensure_ascii=False)
        assert run.status == status
        assert not set(stored) & set("\ud83d\0\u202e")
        shown = "half ‹U+D83D› and nothing ‹U+0000› ‹U+202E›"
        assert run.result[shown] == [{shown: shown}]


class Test_a_failing_step:
    def test_ends_the_run_with_its_problem(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, fails="expected"))
        assert run.status == Status.FAILED
        assert run.problem is not None
        assert run.problem["aws_code"] == "PreconditionFailed"
        assert run.problem["request_id"] == "r-1"

    def test_has_the_done_steps_undone_the_last_first(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, check_fails=True))
        assert steps(run) == {"prepare": "undone", "change": "undone", "settle": "done", "check": "failed"}
        undone = [text for text in texts(run) if text.startswith("Undo:")]
        assert undone == ["Undo: Change", "Undo: Prepare"]
        assert "Undone: Prepare, Change." in run.result["summary"]

    def test_that_fails_unexpectedly_names_type_and_step_and_shows_no_detail(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        run = carry_on(submit(tmp_path, fails="unexpected"))
        assert run.status == Status.FAILED
        assert run.problem is not None
        assert "KeyError" in run.problem["message"]
        assert "Change" in run.problem["message"]
        assert "secret" not in str(run.problem) + "".join(texts(run))
        assert "Traceback" in caplog.text

    def test_that_breaks_off_on_its_first_try_is_taken_back_too_since_its_effect_may_be_there(
        self, tmp_path: Path
    ) -> None:
        run = carry_on(submit(tmp_path, fails="unexpected"))
        assert steps(run) == {"prepare": "undone", "change": "undone", "settle": "pending", "check": "pending"}
        assert (count(tmp_path, "undo-change"), count(tmp_path, "undo-prepare")) == (1, 1)

    def test_that_refuses_on_its_first_try_has_nothing_to_take_back(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, fails="expected"))
        assert steps(run)["change"] == "failed"
        assert count(tmp_path, "undo-change") == 0

    def test_whose_undo_fails_does_not_keep_the_others_and_says_so(self, tmp_path: Path) -> None:
        run = carry_on(submit(tmp_path, check_fails=True, undo_fails=True))
        assert run.status == Status.FAILED
        assert steps(run)["change"] == "failed"
        assert steps(run)["prepare"] == "undone"
        assert "could not be undone: It may not be put back." in run.steps.get(name="change").note


class Test_cancelling:
    def test_a_run_that_nobody_began_does_nothing(self, tmp_path: Path, operator: Actor) -> None:
        run = submit(tmp_path, operator)
        assert signals.give(run, SignalKind.CANCEL, operator)
        assert carry_on(run).status == Status.CANCELLED
        assert run.result["summary"].startswith("Cancelled by olga. Nothing was done.")
        assert count(tmp_path, "prepare") == 0

    def test_a_waiting_run_makes_it_due_and_takes_back_what_was_done(self, tmp_path: Path, operator: Actor) -> None:
        run = carry_on(submit(tmp_path, operator, waits=5, seconds=3000))
        signals.give(run, SignalKind.CANCEL, operator)
        execute(run, "another")
        run.refresh_from_db()
        assert run.status == Status.CANCELLED
        assert steps(run) == {"prepare": "undone", "change": "undone", "settle": "waiting", "check": "pending"}
        assert run.result["summary"].endswith("Undone: Prepare, Change. Begun, not finished: Settle. Not done: Check.")

    def test_takes_effect_between_steps(self, tmp_path: Path, operator: Actor) -> None:
        run = submit(tmp_path, operator)

        def cancels(context: Context) -> Outcome:
            signals.give(context.run, SignalKind.CANCEL, operator)
            context._asked = -100.0
            return Done("done")

        kind = RunKind(
            Kind.DEPLOYMENT,
            always((StepSpec("prepare", "Prepare", cancels), *KINDS[Kind.DEPLOYMENT].steps({})[1:])),
        )
        execute(run, "worker", {Kind.DEPLOYMENT: kind})
        run.refresh_from_db()
        assert run.status == Status.CANCELLED
        assert "Done and kept: Prepare." in run.result["summary"]

    def test_an_ended_run_changes_nothing(self, tmp_path: Path, operator: Actor) -> None:
        run = carry_on(submit(tmp_path, operator))
        assert signals.give(run, SignalKind.CANCEL, operator) is False

    def test_leaves_an_entry_in_the_audit_table(self, tmp_path: Path, operator: Actor) -> None:
        run = submit(tmp_path, operator)
        signals.give(run, SignalKind.CANCEL, operator)
        carry_on(run)
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name"))
        assert actions == [("deployment.submit", "olga"), ("run.cancel", "olga"), ("deployment.cancelled", "olga")]


class Test_an_undo:
    def test_that_has_to_wait_is_called_again_by_whoever_comes(self, tmp_path: Path) -> None:
        def impatient(context: Context) -> str | Wait:
            context.memory["tries"] = context.memory.get("tries", 0) + 1
            return Wait(0.0) if context.memory["tries"] < 3 else "taken back"

        change = next(spec for spec in KINDS[Kind.DEPLOYMENT].steps({}) if spec.name == "change")
        kind = RunKind(
            Kind.DEPLOYMENT, always((StepSpec("prepare", "Prepare", lambda _: Done(), undo=impatient), change))
        )
        run = submit(tmp_path, fails="expected")
        Run.objects.filter(pk=run.pk).update(memory={"prepared": True})
        for number in range(3):
            execute(run, f"worker {number}", {Kind.DEPLOYMENT: kind})
        run.refresh_from_db()
        assert run.status == Status.FAILED
        assert steps(run)["prepare"] == "undone"
        assert run.steps.get(name="prepare").memory["tries"] == 3
        assert texts(run).count("Undo: Prepare") == 1
        assert not any("takes it over" in text for text in texts(run))

    def test_is_asked_of_a_step_that_a_vanished_worker_left_half_done(self, tmp_path: Path, operator: Actor) -> None:
        run = submit(tmp_path, operator)
        claimed = Lease.claim(run.pk, "vanished")
        assert claimed is not None
        step = run.steps.get(name="prepare")
        step.status, step.started_at = StepStatus.RUNNING, clock.now()
        claimed[0].write(step=step)
        signals.give(run, SignalKind.CANCEL, operator)
        Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))
        assert carry_on(run).status == Status.CANCELLED
        assert steps(run)["prepare"] == "undone"
        assert count(tmp_path, "undo-prepare") == 1


def test_a_run_whose_person_is_deleted_meanwhile_ends_with_his_name(tmp_path: Path, operator: Actor) -> None:
    def leaves(_context: Context) -> Outcome:
        User.objects.filter(username="olga").delete()
        return Done()

    run = submit(tmp_path, operator)
    execute(run, "worker", doing(leaves))
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    last = AuditEntry.objects.get(action="deployment.succeeded")
    assert (last.actor, last.actor_name) == (None, "olga")


class Test_submitting:
    def test_a_second_run_with_the_same_lock_is_refused_and_names_the_first(self, tmp_path: Path) -> None:
        first = submit(tmp_path, lock="arn:x")
        with pytest.raises(DrydockError) as refused:
            submit(tmp_path, lock="arn:x")
        assert refused.value.problem.code is Code.BUSY
        assert f"Run {first.pk}" in str(refused.value)
        assert Run.objects.count() == 1

    def test_is_possible_again_when_the_first_has_ended(self, tmp_path: Path) -> None:
        carry_on(submit(tmp_path, lock="arn:x"))
        assert submit(tmp_path, lock="arn:x").status == Status.QUEUED

    def test_by_the_schedule_leaves_no_audit_entry(self, tmp_path: Path) -> None:
        carry_on(submit(tmp_path))
        assert not AuditEntry.objects.exists()

    def test_stores_no_secret_of_the_plan_in_the_audit_table(self, tmp_path: Path, operator: Actor) -> None:
        submit(tmp_path, operator, token="abc", note="password=hunter2")
        entry = AuditEntry.objects.get()
        assert entry.plan["token"] == "[redacted]"
        assert "hunter2" not in str(entry.plan)

    def test_succeeds_while_redis_is_away(self, tmp_path: Path, valkey: Valkey) -> None:
        valkey.stop()
        try:
            assert carry_on(submit(tmp_path)).status == Status.SUCCEEDED
        finally:
            valkey.start()


class Test_a_lease:
    def test_is_claimed_by_one_only(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        assert Lease.claim(run.pk, "first") is not None
        assert Lease.claim(run.pk, "second") is None

    def test_that_ran_out_is_taken_over_and_the_loser_writes_nothing(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        first = Lease.claim(run.pk, "first")
        assert first is not None
        Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))
        second = Lease.claim(run.pk, "second")
        assert second is not None
        assert second[0].taken_over
        with pytest.raises(LeaseLost):
            first[0].write(result={"by": "first"})
        run.refresh_from_db()
        assert run.result == {}
        assert run.lease_owner == "second"

    def test_is_renewed_by_every_write(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        claimed = Lease.claim(run.pk, "first")
        assert claimed is not None
        Run.objects.filter(pk=run.pk).update(lease_until=clock.now())
        claimed[0].write(memory={"a": 1})
        run.refresh_from_db()
        assert run.lease_until is not None
        assert run.lease_until > clock.now() + LEASE / 2

    def test_refuses_an_illegal_transition(self, tmp_path: Path) -> None:
        claimed = Lease.claim(submit(tmp_path).pk, "first")
        assert claimed is not None
        claimed[0].write(to=Status.SUCCEEDED)
        with pytest.raises(ValueError, match="not a legal transition"):
            claimed[0].write(to=Status.RUNNING)

    def test_lost_in_a_step_ends_the_work_without_a_trace(self, tmp_path: Path) -> None:
        def loses(context: Context) -> Outcome:
            Run.objects.filter(pk=context.run.pk).update(lease_owner="another")
            context.result["by"] = "the loser"
            return Done()

        run = submit(tmp_path)
        assert execute(run, "loser", doing(loses)) is False
        run.refresh_from_db()
        assert run.status == Status.RUNNING
        assert run.result == {}
        assert steps(run)["prepare"] == StepStatus.RUNNING

    def test_lost_in_a_step_keeps_what_it_says_afterwards_out_of_the_log(self, tmp_path: Path) -> None:
        def loses(context: Context) -> Outcome:
            Run.objects.filter(pk=context.run.pk).update(lease_owner="another")
            context.log.info("too late")
            context.log.flush()
            return Done()

        run = submit(tmp_path)
        assert execute(run, "loser", doing(loses)) is False
        assert "too late" not in texts(run)

    def test_is_kept_though_the_database_drops_the_connection(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.05))  # four seconds would be long here
        run = submit(tmp_path)
        claimed = Lease.claim(run.pk, "first")
        assert claimed is not None
        with claimed[0].heartbeat():
            renewed(run)
            drop_other_connections()
            renewed(run)
            renewed(run)


def renewed(run: Run) -> None:
    """Wait until a lease that was about to run out is renewed."""
    soon = clock.now() + timedelta(seconds=2)
    Run.objects.filter(pk=run.pk).update(lease_until=soon)
    eventually(Run.objects.filter(pk=run.pk, lease_until__gt=soon + LEASE / 2).exists, "the lease is renewed")


def drop_other_connections() -> None:
    """As a database server that restarts; SQLite has none."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_a_step_that_must_not_be_repeated_is_not_and_the_run_says_what_to_look_at(tmp_path: Path) -> None:
    run = runs.submit(Kind.INVOCATION, title="Send", plan={"folder": str(tmp_path)}, actor=SCHEDULE)
    claimed = Lease.claim(run.pk, "vanished")
    assert claimed is not None
    step = run.steps.get()
    step.status, step.started_at = StepStatus.RUNNING, clock.now()
    claimed[0].write(step=step)
    Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))
    carry_on(run)
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert run.problem["code"] == Code.UNKNOWN_OUTCOME
    assert run.problem["next_step"] == "Look in the function's log group."
    assert count(tmp_path, "once") == 0
