"""Limits: each step has its own, and its undo another; what counts is the time in which somebody could work on it."""

from datetime import datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import LEASE, Done, Outcome, SignalKind, Status, Wait
from functions_app.models import Run
from functions_app.services.engine import signals
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.services.engine.engine_stage import Action, ahead, die_in, done, stage, start, step, steps, told, work

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]
LIMIT = timedelta(minutes=2)


def never(context: Context) -> Outcome:
    """It takes for ever."""
    return Wait(30, "still pending")


def never_back(context: Context) -> Wait:
    """So does its undo."""
    return Wait(30, "still there")


def fail(context: Context) -> Outcome:
    """What comes after it does not work."""
    raise DrydockError(Code.FAILED, "It does not work.")


def watching() -> Run:
    """A run that waits in a step of two minutes, for the first time."""
    return work(start(SCHEDULE, step("watch", never, limit=LIMIT)))


def why(run: Run) -> str:
    """Why it failed."""
    assert run.status == Status.FAILED
    assert run.problem is not None
    return str(run.problem["message"])


class Test_the_limit_of_a_step:
    def test_ends_the_run_when_the_step_has_waited_so_long(self, settings: Settings) -> None:
        run = watching()
        for _ in range(3):
            ahead(settings, seconds=30.5)
            assert work(run).status == Status.WAITING
        ahead(settings, seconds=30)
        assert why(work(run)).startswith("“Watch” was not finished after 2 min")

    def test_is_not_eaten_by_ten_minutes_in_a_queue(self, settings: Settings) -> None:
        run = watching()
        ahead(settings, minutes=10)  # it is due after half a minute, and no worker is free
        assert work(run).status == Status.WAITING
        for _ in range(2):
            ahead(settings, seconds=31)
            assert work(run).status == Status.WAITING
        ahead(settings, seconds=31)
        assert "not finished after 2 min" in why(work(run))

    def test_is_not_eaten_by_an_hour_in_which_the_run_is_paused(self, settings: Settings, operator: Actor) -> None:
        run = watching()
        ahead(settings, seconds=15)
        signals.give(run, SignalKind.PAUSE, operator)
        work(run)
        ahead(settings, hours=1)
        signals.give(run, SignalKind.RESUME, operator)
        assert work(run).status == Status.WAITING
        assert run.steps.get().idle >= timedelta(hours=1)

    def test_is_not_eaten_by_being_looked_at_while_paused(self, settings: Settings, operator: Actor) -> None:
        run = work(start(operator, step("watch", told(SignalKind.PROMOTE), limit=LIMIT)))
        signals.give(run, SignalKind.PAUSE, operator)
        work(run)
        for _ in range(3):
            ahead(settings, minutes=20)
            signals.wake(run.pk)
            assert work(run).status == Status.PAUSED
        signals.give(run, SignalKind.RESUME, operator)
        assert work(run).status == Status.WAITING

    def test_is_not_eaten_by_the_lease_of_a_dead_worker(self, settings: Settings) -> None:
        run = start(SCHEDULE, step("watch", never, limit=timedelta(seconds=5)))
        die_in(run, "watch")  # so that its lease has run out: more than those five seconds
        assert work(run).status == Status.WAITING
        die_in_the_wait(run, settings)
        assert work(run).status == Status.WAITING

    def test_counts_what_a_worker_did_before_it_died(self, settings: Settings) -> None:
        run = start(SCHEDULE, step("watch", never, limit=LIMIT))
        die_in(run, "watch")
        run.steps.update(started_at=clock.now() - LEASE - timedelta(minutes=5))
        assert "not finished after 4 min 59 s" in why(work(run))

    def test_begins_anew_with_the_next_step(self, settings: Settings) -> None:
        run = work(start(SCHEDULE, step("first", after(1), limit=LIMIT), step("second", after(1), limit=LIMIT)))
        for _ in range(2):
            ahead(settings, seconds=110)
            work(run)
        assert run.status == Status.SUCCEEDED

    def test_ends_a_wait_that_would_last_longer(self, settings: Settings) -> None:
        run = work(start(SCHEDULE, step("watch", lambda _: Wait(3000, "still pending"), limit=LIMIT)))
        assert run.wake_at is not None
        assert run.wake_at - clock.now() <= LIMIT
        ahead(settings, seconds=121)
        assert "not finished after 2 min 0 s: still pending" in why(work(run))

    def test_ends_a_wait_for_a_signal_that_nobody_gives_and_takes_back_what_was_done(self, settings: Settings) -> None:
        run = work(
            start(
                SCHEDULE,
                step("move", done, undo=lambda _: "back"),
                step("approval", told(SignalKind.APPROVE), limit=LIMIT, undo=lambda _: "nothing to take back"),
                step("tidy", done),
            )
        )
        assert run.waits_for == "approve"
        ahead(settings, seconds=119)
        assert work(run).status == Status.WAITING
        ahead(settings, seconds=2)
        assert "“Approval” was not finished after 2 min 0 s: not yet" in why(work(run))
        assert steps(run) == {"move": "undone", "approval": "undone", "tidy": "pending"}
        assert run.waits_for == ""

    def test_that_ran_out_in_the_first_call_has_the_step_taken_back_too(self, settings: Settings) -> None:
        def slow(context: Context) -> Outcome:
            ahead(settings, minutes=3)  # a call that took so long
            return Wait(2, "no answer yet")

        run = work(start(SCHEDULE, step("move", slow, limit=LIMIT, undo=lambda _: "back")))
        assert "not finished after 3 min" in why(run)
        assert steps(run) == {"move": "undone"}

    def test_ends_a_wait_for_nothing_at_all(self, settings: Settings) -> None:
        run = work(start(SCHEDULE, step("watch", lambda _: Wait(), limit=LIMIT)))
        ahead(settings, seconds=121)
        assert "not finished after 2 min 0 s." in why(work(run))

    def test_is_not_reached_by_a_step_that_is_done_too_late(self, settings: Settings) -> None:
        run = work(start(SCHEDULE, step("watch", after(1), limit=timedelta(seconds=1))))
        ahead(settings, minutes=5)
        assert work(run).status == Status.SUCCEEDED

    def test_is_told_to_the_step_as_a_time(self) -> None:
        found: list[datetime | None] = []

        def look(context: Context) -> Outcome:
            found.append(context.deadline)
            return Done()

        run = work(start(SCHEDULE, step("with", look, limit=LIMIT), step("without", look)))
        began = run.steps.get(name="with").started_at
        assert began is not None
        assert found == [began + LIMIT, None]


def test_a_wait_for_nothing_without_a_limit_can_be_cancelled(operator: Actor, settings: Settings) -> None:
    run = work(start(operator, step("watch", lambda _: Wait())))
    ahead(settings, days=3)
    assert (work(run).status, run.wake_at) == (Status.WAITING, None)
    signals.give(run, SignalKind.CANCEL, operator)
    assert work(run).status == Status.CANCELLED


class Test_an_undo:
    def test_has_a_limit_of_its_own_which_begins_with_it(self, settings: Settings) -> None:
        run = undoing(step("move", done, limit=timedelta(seconds=1), undo=never_back, undo_limit=LIMIT))
        for status in (*[Status.UNDOING] * 3, Status.FAILED):
            ahead(settings, seconds=30.5)
            assert work(run).status == status
        note = run.steps.get(name="move").note
        assert note.startswith("could not be undone: not finished after 2 min")
        assert note.endswith(": still there")

    def test_is_not_counted_from_when_its_step_began(self, settings: Settings) -> None:
        slow = step("move", after(3), undo=never_back, undo_limit=LIMIT)
        run = work(start(SCHEDULE, slow, step("check", fail)))
        for _ in range(3):
            ahead(settings, minutes=1)
            work(run)
        assert run.status == Status.UNDOING

    def test_does_not_count_the_time_in_a_queue_nor_of_a_dead_worker(self, settings: Settings) -> None:
        run = undoing(step("move", done, undo=never_back, undo_limit=LIMIT))
        ahead(settings, hours=1)
        assert work(run).status == Status.UNDOING
        Run.objects.update(lease_owner="vanished", lease_until=clock.now() + LEASE)
        ahead(settings, hours=2)
        assert work(run).status == Status.UNDOING

    def test_is_told_its_own_limit_as_a_time(self) -> None:
        found = {}

        def back(context: Context) -> str:
            found[context.step.name] = context.deadline
            return "back"

        limited = step("with", done, limit=timedelta(days=1), undo=back, undo_limit=LIMIT)
        run = undoing(limited, step("without", done, limit=timedelta(days=1), undo=back))
        began = run.steps.get(name="with").undo_started_at
        assert began is not None
        assert found == {"with": began + LIMIT, "without": None}

    def test_that_waits_without_a_time_is_called_again_and_not_at_once(self, settings: Settings) -> None:
        calls = []

        def back(context: Context) -> str | Wait:
            calls.append(1)
            return Wait(until=(SignalKind.SKIP,)) if len(calls) == 1 else "back"

        run = undoing(step("move", done, undo=back))
        assert (work(run).status, len(calls)) == (Status.UNDOING, 1)
        ahead(settings, seconds=6)
        assert (work(run).status, len(calls)) == (Status.FAILED, 2)


def undoing(*specs: StepSpec) -> Run:
    """A run whose steps are done and must be taken back."""
    return work(start(SCHEDULE, *specs, step("check", fail)))


def after(times: int) -> Action:
    """Done after so many waits of a minute."""

    def action(context: Context) -> Outcome:
        context.memory["tries"] = context.memory.get("tries", 0) + 1
        return Done() if context.memory["tries"] > times else Wait(60)

    return action


def die_in_the_wait(run: Run, settings: Settings) -> None:
    """A worker claims the run when it is due, and vanishes."""
    ahead(settings, seconds=31)
    die_in(run, "watch")
    ahead(settings, minutes=5)
