"""An upgrade that takes steps away, adds some, or takes a whole kind away: the run ends and says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import LEASE, Done, Kind, Outcome, SignalKind, Status, Wait
from functions_app.models import Run
from functions_app.services.engine import hand_out, runs, signals
from functions_app.services.engine.leases import Lease
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always
from functions_app.services.inventory.runs.run_filter import RunFilter
from functions_app.services.inventory.runs.run_list import run_list
from functions_app.services.inventory.runs.run_state import run_state
from functions_app.services.people.actor import Actor
from functions_app.services.tidy import tidy
from tests.run_kinds import count, mark

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def doing(name: str) -> Callable[[Context], Outcome]:
    """A step that counts; where the plan says so it waits, or fails."""

    def action(context: Context) -> Outcome:
        mark(context, name)
        if context.plan.get("waits") == name:
            return Wait(3000, "not yet")
        if context.plan.get("fails") == name:
            raise DrydockError(Code.FAILED, f"{name} does not work.")
        return Done(f"{name} is done")

    return action


def undoing(name: str) -> Callable[[Context], str]:
    def undo(context: Context) -> str:
        mark(context, f"undo-{name}")
        return f"{name} is taken back"

    return undo


def spec(name: str) -> StepSpec:
    return StepSpec(name, name, doing(name), undoing(name), settles=name == "Proof")


def kind(*names: str) -> dict[Kind, RunKind]:
    """A kind of these steps, each of which can be undone."""
    return {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always(tuple(map(spec, names))))}


MADE_WITH = kind("A", "B", "C")
PROVEN = kind("Proof", "B", "C")
NONE: dict[Kind, RunKind] = {}


@pytest.fixture
def make(settings: Settings, tmp_path: Path, operator: Actor) -> Callable[..., Run]:
    """Make a run before the upgrade, and let a worker of that time do what it can."""

    def run(waits: str = "", fails: str = "", kinds: str = "MADE_WITH") -> Run:
        settings.DRYDOCK_KINDS = f"{__name__}.{kinds}"
        plan = {"folder": str(tmp_path), "waits": waits, "fails": fails}
        made = runs.submit(Kind.DEPLOYMENT, title="A change", plan=plan, actor=operator, lock="arn:x")
        if waits:
            runs.execute(made.pk, "before")
        return made

    return run


def upgraded(run: Run, *names: str) -> Run:
    """Be a worker after the upgrade, when the kind has these steps; what was waited for has come."""
    run.refresh_from_db()
    run.plan["waits"] = ""
    Run.objects.filter(pk=run.pk).update(plan=run.plan)
    Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=clock.now())
    runs.execute(run.pk, "after", kind(*names))
    run.refresh_from_db()
    return run


def died_in(run: Run, name: str) -> None:
    """Let its worker have died in this step."""
    Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=clock.now())
    claimed = Lease.claim(run.pk, "dead")
    assert claimed is not None
    step = run.steps.get(name=name)
    step.status, step.started_at = "running", clock.now()
    claimed[0].write(step=step)
    Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - LEASE)


def steps(run: Run) -> dict[str, str]:
    return {step.name: step.status for step in run.steps.all()}


def texts(run: Run) -> list[str]:
    return list(run.lines.values_list("text", flat=True))


def problem(run: Run) -> tuple[str, str, str]:
    assert run.problem is not None
    return run.problem["code"], run.problem["message"], run.problem["next_step"]


def summary(run: Run) -> str:
    return str(run.result["summary"])


NO_STEP = "This version of Drydock has no step “B”"
BEGUN = f"{NO_STEP}, which an older one had begun: it may or may not have taken place."


class Test_a_step_that_an_upgrade_took_away:
    def test_fails_the_run_that_did_not_come_to_it_and_what_was_done_is_taken_back(
        self, make: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = upgraded(make(waits="A"), "A", "C")
        assert run.status == Status.FAILED
        assert problem(run) == (Code.FAILED, f"{NO_STEP}; the run was made by an older one.", "Plan the change again.")
        assert steps(run) == {"A": "undone", "B": "failed", "C": "pending"}
        assert summary(run) == "Failed. Nothing was changed for good. Undone: A. Not done: C."
        assert "Drydock was upgraded while this run was under way, and has no step “B” now." in texts(run)
        assert (count(tmp_path, "undo-A"), count(tmp_path, "C")) == (1, 0)

    def test_fails_the_run_that_nobody_began(self, make: Callable[..., Run], tmp_path: Path) -> None:
        run = upgraded(make(), "C")
        assert (run.status, steps(run)) == (Status.FAILED, {"A": "failed", "B": "pending", "C": "pending"})
        assert summary(run) == "Failed. Nothing was done. Not done: B, C."

    @pytest.mark.parametrize("how", ["waits", "dead"])
    def test_and_was_under_way_may_have_taken_place_and_the_run_claims_nothing_else(
        self, make: Callable[..., Run], how: str
    ) -> None:
        run = make(waits="B")
        if how == "dead":
            died_in(run, "B")
        run = upgraded(run, "A", "C")
        assert run.status == Status.FAILED
        assert problem(run)[:2] == (Code.UNKNOWN_OUTCOME, BEGUN)
        assert steps(run) == {"A": "undone", "B": "failed", "C": "pending"}
        assert summary(run) == "Failed. Undone: A. Could not be undone: B. Not done: C."
        assert run.steps.get(name="B").note == f"could not be undone: {NO_STEP}, which an older one had begun."

    def test_and_was_under_way_when_the_run_was_cancelled_is_told_too(
        self, make: Callable[..., Run], operator: Actor
    ) -> None:
        run = make(waits="B")
        signals.give(run, SignalKind.CANCEL, operator)
        run = upgraded(run, "A", "C")
        assert (run.status, run.problem) == (Status.CANCELLED, None)
        assert summary(run) == "Cancelled by olga. Undone: A. Could not be undone: B. Not done: C."

    def test_and_was_not_begun_when_the_run_was_cancelled_changes_nothing(
        self, make: Callable[..., Run], operator: Actor
    ) -> None:
        run = make(waits="A")
        signals.give(run, SignalKind.CANCEL, operator)
        run = upgraded(run, "A", "C")
        assert summary(run) == "Cancelled by olga. Nothing was changed for good. Undone: A. Not done: B, C."

    def test_and_was_done_stays_done(self, make: Callable[..., Run]) -> None:
        run = upgraded(make(waits="C"), "A", "C")
        assert run.status == Status.SUCCEEDED
        assert summary(run).startswith("Succeeded: 3 of 3 steps")

    def test_and_was_done_is_kept_when_a_later_one_fails_and_the_run_says_so(self, make: Callable[..., Run]) -> None:
        run = upgraded(make(waits="C", fails="C"), "A", "C")
        assert steps(run) == {"A": "undone", "B": "done", "C": "undone"}
        assert summary(run) == "Failed. Done and kept: B. Undone: A, C."

    def test_and_was_being_taken_back_is_told_as_not_taken_back(self, make: Callable[..., Run]) -> None:
        run = make(waits="C")
        run.steps.filter(name="B").update(undo_started_at=clock.now())
        Run.objects.filter(pk=run.pk).update(
            status=Status.UNDOING, wake_at=None, problem={"code": "failed", "message": "No."}
        )
        run = upgraded(run, "A", "C")
        assert (run.status, steps(run)["A"], steps(run)["B"]) == (Status.FAILED, "undone", "failed")
        assert "Could not be undone: B." in summary(run)

    @pytest.mark.parametrize("how", ["pending", "waits", "dead"])
    def test_after_a_step_that_proved_what_was_done_is_left_out(
        self, make: Callable[..., Run], tmp_path: Path, how: str
    ) -> None:
        run = make(waits="Proof" if how == "pending" else "B", kinds="PROVEN")
        if how == "dead":
            died_in(run, "B")
        run = upgraded(run, "Proof", "C")
        assert run.status == Status.SUCCEEDED
        assert steps(run) == {"Proof": "done", "B": "skipped", "C": "done"}
        assert run.steps.get(name="B").note == "this version of Drydock does this no longer"
        assert count(tmp_path, "undo-Proof") == 0

    def test_is_the_proof_that_was_given_so_that_nothing_is_taken_back(
        self, make: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = make(waits="B", fails="C", kinds="PROVEN")
        run = upgraded(run, "B", "C")
        assert (run.status, steps(run)) == (Status.FAILED, {"Proof": "done", "B": "done", "C": "failed"})
        assert count(tmp_path, "undo-B") == 0

    def test_and_with_it_all_others_that_an_old_plan_no_longer_gives_ends_the_run(
        self, make: Callable[..., Run], tmp_path: Path
    ) -> None:
        def forgetful(plan: dict[str, Any]) -> tuple[StepSpec, ...]:
            raise KeyError("a member that older plans have not")

        run = make(waits="B")
        Run.objects.filter(pk=run.pk).update(wake_at=clock.now())
        runs.execute(run.pk, "after", {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, forgetful)})
        run.refresh_from_db()
        assert (run.status, problem(run)[1].startswith(NO_STEP)) == (Status.FAILED, True)


class Test_a_step_that_an_upgrade_brought:
    @pytest.mark.parametrize("waits", ["", "A", "B", "C"])
    def test_is_not_done_by_the_run_that_was_made_without_it_which_says_so(
        self, make: Callable[..., Run], tmp_path: Path, waits: str
    ) -> None:
        run = upgraded(make(waits=waits), "A", "B", "X", "C")
        assert run.status == Status.SUCCEEDED
        assert steps(run) == {"A": "done", "B": "done", "C": "done"}
        assert summary(run).startswith("Succeeded: 3 of 3 steps")
        assert summary(run).endswith("Begun before Drydock was upgraded, so without what it would do now: X.")
        assert texts(run)[-1] == summary(run)
        assert count(tmp_path, "X") == 0

    def test_is_named_when_the_run_fails_too(self, make: Callable[..., Run]) -> None:
        run = upgraded(make(waits="A", fails="B"), "A", "B", "X", "C")
        assert summary(run).startswith("Failed. Nothing was changed for good. Undone: A. Not done: C. Begun before")

    def test_and_another_that_it_took_away_are_both_told(self, make: Callable[..., Run]) -> None:
        run = upgraded(make(waits="A"), "A", "X", "C")
        assert (problem(run)[1].startswith(NO_STEP), summary(run).endswith("it would do now: X.")) == (True, True)


class Test_a_kind_that_an_upgrade_took_away:
    @pytest.mark.parametrize("name", ["deployment", "bygone"])
    @pytest.mark.parametrize("waits", ["", "B"])
    def test_has_its_runs_left_alone_by_the_tick_and_by_workers_and_shown(
        self, make: Callable[..., Run], settings: Settings, operator: Actor, name: str, waits: str
    ) -> None:
        run = make(waits=waits)
        Run.objects.update(kind=name, wake_at=clock.now(), handed_out_at=None)
        before = Run.objects.values().get()
        settings.DRYDOCK_KINDS = f"{__name__}.NONE"
        assert hand_out.hand_out_due() == 0
        assert runs.execute(run.pk, "after") is False
        tidy(clock.now())
        assert Run.objects.values().get() == before
        (row,) = run_list(RunFilter(), 1).rows
        assert row.kind == ("Deployment" if name == "deployment" else "bygone")
        assert run_state(Run.objects.get()).kind == row.kind
        # Nobody else would ever end it: cancelling does at once, and its lock is free.
        assert signals.give(run, SignalKind.CANCEL, operator)
        run.refresh_from_db()
        assert (run.status, run.lease_owner, run.ended_at is not None) == (Status.CANCELLED, "", True)
        assert "what it had begun is not known" in summary(run)
        assert texts(run)[-2:] == ["olga asked to cancel this run.", summary(run)]

    @pytest.mark.parametrize("kind", [SignalKind.RESUME, SignalKind.APPROVE])
    def test_has_a_run_end_by_no_other_signal_than_the_one_to_cancel(
        self, make: Callable[..., Run], settings: Settings, superuser: User, kind: SignalKind
    ) -> None:
        run = make()
        run.signals.create(kind="pause", actor_name="olga", via="browser", at=clock.now())
        Run.objects.update(status=Status.PAUSED, wake_at=None, waits_for="approve")
        settings.DRYDOCK_KINDS = f"{__name__}.NONE"
        with pytest.raises(DrydockError, match="does not know its kind"):
            signals.give(run, kind, Actor(superuser))
        assert Run.objects.get().status == Status.PAUSED

    def test_has_a_cancelled_run_ended_by_the_worker_that_is_at_it_and_where_that_one_dies_by_asking_again(
        self, make: Callable[..., Run], settings: Settings, operator: Actor
    ) -> None:
        run = make()
        assert Lease.claim(run.pk, "newer") is not None
        settings.DRYDOCK_KINDS = f"{__name__}.NONE"
        assert signals.give(run, SignalKind.CANCEL, operator)
        assert Run.objects.get().status == Status.RUNNING
        assert run_state(Run.objects.get()).offers == (SignalKind.CANCEL,)
        Run.objects.update(lease_until=clock.now() - LEASE)
        assert signals.give(run, SignalKind.CANCEL, operator)
        assert Run.objects.get().status == Status.CANCELLED

    def test_whose_run_another_kept_alive_wakes_that_one(
        self, make: Callable[..., Run], settings: Settings, operator: Actor
    ) -> None:
        child = make()
        Run.objects.update(lock="", child_key="one")
        parent = make()
        Run.objects.filter(pk=child.pk).update(parent=parent, kind="bygone")
        Run.objects.filter(pk=parent.pk).update(status=Status.WAITING, wake_at=None)
        child.refresh_from_db()
        assert signals.give(child, SignalKind.CANCEL, operator)
        child.refresh_from_db()
        parent.refresh_from_db()
        assert (child.status, parent.wake_at is not None) == (Status.CANCELLED, True)

    def test_has_them_go_on_when_it_comes_back(self, make: Callable[..., Run], settings: Settings) -> None:
        run = make(waits="B")
        settings.DRYDOCK_KINDS = f"{__name__}.NONE"
        assert runs.execute(run.pk, "after") is False
        assert upgraded(run, "A", "B", "C").status == Status.SUCCEEDED

    def test_whose_worker_died_is_left_alone_too(self, make: Callable[..., Run], settings: Settings) -> None:
        run = make(waits="B")
        died_in(run, "B")
        Run.objects.update(handed_out_at=None)
        settings.DRYDOCK_KINDS = f"{__name__}.NONE"
        assert (hand_out.hand_out_due(), runs.execute(run.pk, "after")) == (0, False)
