"""Signals: what people ask of a run, at every moment of its life; none is lost, and none is for everybody."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, connections, transaction
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, SignalKind, Status, Wait
from functions_app.domain.tokens import TokenScope
from functions_app.models import AuditEntry, Run, Signal
from functions_app.services.engine import hand_out, signals
from functions_app.services.engine.steps import Context
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.processes import eventually
from tests.services.engine.engine_stage import ahead, die_in, done, once, stage, start, step, steps, texts, told, work

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]
CANCEL, PAUSE, RESUME = SignalKind.CANCEL, SignalKind.PAUSE, SignalKind.RESUME
APPROVE, PROMOTE, SKIP = SignalKind.APPROVE, SignalKind.PROMOTE, SignalKind.SKIP
FOREVER = Wait(3000, "not yet")


def refused(run: Run, kind: SignalKind, actor: Actor) -> Code:
    """Why the run does not take it; that is in the audit table, and no signal is stored."""
    before = Signal.objects.count()
    with pytest.raises(DrydockError) as caught:
        signals.give(run, kind, actor)
    entry = AuditEntry.objects.filter(action=f"run.{kind}").first()
    assert entry is not None
    assert (entry.actor_name, entry.run, entry.result) == (actor.name, run, f"refused: {caught.value}")
    assert Signal.objects.count() == before
    return caught.value.problem.code


def undoing(actor: Actor) -> Run:
    """A run that failed, and takes its time to take back what it did."""

    def fail(context: Context) -> Outcome:
        raise DrydockError(Code.FAILED, "It does not work.")

    return work(start(actor, step("move", done, undo=lambda _: Wait(3000.0)), step("check", fail)))


def waiting(actor: Actor, *kinds: SignalKind, pausable: bool = True) -> Run:
    """A run whose first step is done and can be undone, and whose second waits for these signals."""
    return work(start(actor, step("move", done, undo=lambda _: "back"), step("watch", told(*kinds)), pausable=pausable))


class Test_a_pause:
    def test_of_a_run_in_its_queue_lets_it_stand_still_before_its_first_step(self, operator: Actor) -> None:
        run = start(operator, step("move", done))
        assert signals.give(run, PAUSE, operator)
        assert work(run).status == Status.PAUSED
        assert (steps(run), run.wake_at, run.lease_owner) == ({"move": "pending"}, None, "")
        assert texts(run)[-1] == "Paused by olga, before “Move”."

    def test_that_comes_while_a_step_runs_takes_effect_before_the_next(self, operator: Actor, tmp_path: Path) -> None:
        asks = once(tmp_path, lambda context: signals.give(context.run, PAUSE, operator), Done())
        run = work(start(operator, step("move", asks), step("watch", done)))
        assert (run.status, steps(run)) == (Status.PAUSED, {"move": "done", "watch": "pending"})

    def test_that_comes_while_the_run_waits_takes_effect_at_once(self, operator: Actor) -> None:
        calls = []

        def watch(context: Context) -> Outcome:
            calls.append(1)
            return FOREVER

        run = work(start(operator, step("watch", watch)))
        signals.give(run, PAUSE, operator)
        assert work(run).status == Status.PAUSED
        assert len(calls) == 1

    def test_lasts_until_somebody_resumes_and_then_the_step_goes_on(self, operator: Actor, tmp_path: Path) -> None:
        run = work(start(operator, step("watch", once(tmp_path, lambda _: None, FOREVER))))
        signals.give(run, PAUSE, operator)
        work(run)
        assert (hand_out.hand_out_due(), work(run).status) == (0, Status.PAUSED)
        signals.give(run, RESUME, operator)
        assert work(run).status == Status.SUCCEEDED

    def test_given_twice_is_one_and_so_is_a_resume(self, operator: Actor, approver: Actor) -> None:
        run = waiting(operator, PROMOTE)
        for kind in (PAUSE, PAUSE, RESUME, RESUME, PAUSE):
            assert signals.give(run, kind, operator)
        assert list(run.signals.values_list("kind", flat=True)) == ["pause", "resume", "pause"]
        assert AuditEntry.objects.filter(action__in=("run.pause", "run.resume")).count() == 3

    def test_that_nobody_gave_is_not_resumed_and_leaves_no_trace(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        assert signals.give(run, RESUME, operator)
        assert not run.signals.exists()
        assert work(run).status == Status.WAITING

    def test_taken_back_before_a_worker_saw_it_has_no_effect(self, operator: Actor, tmp_path: Path) -> None:
        def change_their_mind(context: Context) -> None:
            signals.give(context.run, PAUSE, operator)
            signals.give(context.run, RESUME, operator)

        run = start(operator, step("move", once(tmp_path, change_their_mind, Done())), step("watch", done))
        assert work(run).status == Status.SUCCEEDED

    def test_and_a_cancel_end_the_run_with_what_was_done_taken_back(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator)
        work(run)
        signals.give(run, CANCEL, operator)
        assert work(run).status == Status.CANCELLED
        assert steps(run) == {"move": "undone", "watch": "waiting"}

    def test_does_not_stand_just_before_the_step_that_proves_what_was_done(
        self, operator: Actor, tmp_path: Path
    ) -> None:
        asks = once(tmp_path, lambda context: signals.give(context.run, PAUSE, operator), Done())
        run = start(operator, step("move", asks), step("check", done, settles=True), step("tidy", done))
        assert work(run).status == Status.PAUSED
        assert steps(run) == {"move": "done", "check": "done", "tidy": "pending"}

    def test_holds_though_the_worker_dies_in_the_step(self, operator: Actor) -> None:
        run = start(operator, step("move", done))
        die_in(run, "move")
        signals.give(run, PAUSE, operator)
        assert work(run).status == Status.PAUSED
        assert steps(run) == {"move": "waiting"}  # nobody is at it
        signals.give(run, RESUME, operator)
        assert work(run).status == Status.SUCCEEDED

    def test_does_not_hide_that_a_step_which_is_not_repeated_may_have_taken_place(self, operator: Actor) -> None:
        run = start(operator, step("send", done, repeatable=False))
        die_in(run, "send")
        signals.give(run, PAUSE, operator)
        assert work(run).status == Status.FAILED
        assert run.problem is not None
        assert run.problem["code"] == Code.UNKNOWN_OUTCOME

    def test_is_refused_where_the_kind_allows_none_or_the_run_is_being_undone(self, operator: Actor) -> None:
        assert refused(waiting(operator, PROMOTE, pausable=False), PAUSE, operator) is Code.INVALID
        assert refused(undoing(operator), PAUSE, operator) is Code.INVALID

    def test_can_be_resumed_though_an_upgrade_allows_none_any_more(self, operator: Actor) -> None:
        run = start(operator, step("move", done))
        signals.give(run, PAUSE, operator)
        work(run)
        start(operator, step("move", done), pausable=False)
        assert signals.give(run, RESUME, operator)
        assert work(run).status == Status.SUCCEEDED


class Test_a_cancel:
    def test_is_stronger_than_a_resume_that_follows(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator)
        work(run)
        signals.give(run, CANCEL, operator)
        assert refused(run, RESUME, operator) is Code.INVALID
        assert work(run).status == Status.CANCELLED

    def test_given_twice_is_one(self, operator: Actor, approver: Actor) -> None:
        run = waiting(operator, PROMOTE)
        assert signals.give(run, CANCEL, operator)
        assert signals.give(run, CANCEL, approver)
        assert list(run.signals.values_list("actor_name", flat=True)) == ["olga"]
        assert work(run).result["summary"].startswith("Cancelled by olga.")

    def test_leaves_nothing_else_to_ask_for(self, operator: Actor, approver: Actor) -> None:
        run = waiting(operator, APPROVE, PROMOTE)
        signals.give(run, CANCEL, operator)
        for kind in (PAUSE, PROMOTE, APPROVE):
            assert refused(run, kind, approver) is Code.INVALID

    def test_of_a_run_that_is_being_undone_already_is_refused(self, operator: Actor) -> None:
        assert refused(undoing(operator), CANCEL, operator) is Code.INVALID

    def test_does_not_stop_the_undo_that_follows(self, operator: Actor) -> None:
        asked = []

        def back(context: Context) -> str:
            asked.append(context.cancel_requested())
            return "back"

        run = work(start(operator, step("move", done, undo=back), step("watch", told(PROMOTE))))
        signals.give(run, CANCEL, operator)
        work(run)
        assert asked == [False]

    def test_of_children_says_which_run_asked(self, operator: Actor) -> None:
        child, parent = start(SCHEDULE, step("move", done)), start(operator, step("move", done))
        Run.objects.filter(pk=child.pk).update(parent=parent, child_key="1")
        assert signals.cancel_children(parent) == 1
        assert signals.cancel_children(parent) == 0
        assert texts(child) == [f"run {parent.pk} asked to cancel this run."]


@pytest.mark.parametrize("kind", list(SignalKind))
def test_a_run_that_has_ended_takes_none(approver: Actor, kind: SignalKind) -> None:
    run = work(start(SCHEDULE, step("move", done)))
    assert signals.give(run, kind, approver) is False
    assert not run.signals.exists()


class Test_a_signal_that_comes_between_an_answer_and_its_storing:
    """A worker that lets its run sleep, and a person who finds it awake: the wake-up must not be lost."""

    @pytest.mark.parametrize(("kind", "status"), [(CANCEL, Status.CANCELLED), (PAUSE, Status.PAUSED)])
    def test_makes_the_run_due_at_once(self, operator: Actor, tmp_path: Path, kind: SignalKind, status: Status) -> None:
        asks = once(tmp_path, lambda context: signals.give(context.run, kind, operator), FOREVER)
        run = work(start(operator, step("watch", asks)))
        assert (run.status, run.wake_at is not None and run.wake_at <= clock.now()) == (Status.WAITING, True)
        assert work(run).status == status

    def test_is_what_the_step_waited_for(self, operator: Actor, tmp_path: Path) -> None:
        def watch(context: Context) -> Outcome:
            given = context.signal(PROMOTE)
            if given is None and context.memory.setdefault("tries", 0) == 1:
                signals.give(context.run, PROMOTE, operator)  # after the look, before the answer
            context.memory["tries"] += 1
            return Done() if given else Wait(until=(PROMOTE,))

        run = work(start(operator, step("watch", watch)))
        Run.objects.update(wake_at=clock.now())
        assert work(run).status == Status.WAITING
        assert work(run).status == Status.SUCCEEDED

    def test_wakes_a_run_that_is_just_being_paused(self, operator: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        run = start(operator, step("move", done))
        signals.give(run, PAUSE, operator)
        real = signals.standing_of
        looks = []

        def standing_of(run_id: int) -> object:
            standing = real(run_id)
            looks.append(1)
            if len(looks) == 1:
                signals.give(run, RESUME, operator)
            return standing

        # No step runs between a worker's look at the signals and the pause: nothing but this comes between them.
        monkeypatch.setattr(signals, "standing_of", standing_of)
        assert work(run).status == Status.PAUSED
        assert work(run).status == Status.SUCCEEDED

    def test_is_found_by_the_next_worker_though_this_one_dies_right_then(
        self, operator: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        real = signals.wake
        given = []

        def ask(context: Context) -> None:
            signals.give(context.run, PAUSE, operator)
            given.append(1)

        def wake(run_id: int) -> None:
            if given:
                raise Killed
            real(run_id)

        run = start(operator, step("watch", once(tmp_path, ask, Wait())))
        # A process can't be killed from outside at just this line.
        monkeypatch.setattr(signals, "wake", wake)
        with pytest.raises(Killed):
            work(run)
        run.refresh_from_db()
        assert run.status == Status.RUNNING
        Run.objects.update(lease_until=clock.now() - timedelta(seconds=1))
        given.clear()
        assert work(run).status == Status.PAUSED

    def test_waits_for_the_worker_or_lets_it_wait_whichever_is_first(self, operator: Actor) -> None:
        run = start(operator, step("watch", lambda context: at_the_door(context)))
        arrived, go_on = threading.Event(), threading.Event()

        def at_the_door(context: Context) -> Outcome:
            arrived.set()
            assert go_on.wait(30)
            return Wait()

        worker = in_thread(lambda: work(Run.objects.get(pk=run.pk)))
        assert arrived.wait(30)
        with transaction.atomic():
            signals.give(run, PAUSE, operator)
            go_on.set()
            if connection.vendor == "postgresql":
                eventually(somebody_waits_for_a_lock, "the worker waits for the run's row")
        worker.join(30)
        assert work(run).status == Status.PAUSED

    def test_is_not_lost_in_any_of_twenty_races(self, operator: Actor) -> None:
        for _ in range(20):
            barrier = threading.Barrier(2)

            def answer(context: Context, barrier: threading.Barrier = barrier) -> Outcome:
                barrier.wait(30)
                return Wait()

            run = start(operator, step("watch", answer))

            def ask(run: Run = run, barrier: threading.Barrier = barrier) -> None:
                barrier.wait(30)
                signals.give(run, PAUSE, operator)

            asker = in_thread(ask)
            work(run)
            asker.join(30)
            assert work(run).status == Status.PAUSED


def in_thread(task: Callable[[], object]) -> threading.Thread:
    """Begin it on a connection of its own."""

    def run() -> None:
        try:
            task()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


class Test_a_step_that_waits_for_a_signal:
    def test_sleeps_without_a_time_and_goes_on_when_it_comes(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        assert (run.status, run.wake_at, run.waits_for) == (Status.WAITING, None, "promote")
        signals.give(run, PROMOTE, operator)
        assert work(run).status == Status.SUCCEEDED
        assert run.steps.get(name="watch").note == "promote by olga"

    def test_takes_whichever_of_two_comes_and_no_third(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE, SKIP)
        assert refused(run, APPROVE, operator) is Code.DENIED
        signals.give(run, SKIP, operator)
        assert work(run).status == Status.SUCCEEDED

    def test_takes_it_while_it_is_paused_and_acts_on_it_when_resumed(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator)
        work(run)
        signals.give(run, PROMOTE, operator)
        assert work(run).status == Status.PAUSED
        signals.give(run, RESUME, operator)
        assert work(run).status == Status.SUCCEEDED

    def test_gets_one_of_two_clicks(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        assert signals.give(run, PROMOTE, operator)
        assert signals.give(run, PROMOTE, operator)
        assert run.signals.count() == 1

    def test_may_ask_for_the_same_again(self, operator: Actor) -> None:
        def twice(context: Context) -> Outcome:
            given = context.signal(PROMOTE)
            if given and given.pk > context.memory.get("seen", 0):
                context.memory["seen"] = given.pk
                context.memory["times"] = context.memory.get("times", 0) + 1
            return Done() if context.memory.get("times") == 2 else Wait(until=(PROMOTE,))

        run = work(start(operator, step("shift", twice)))
        signals.give(run, PROMOTE, operator)
        assert work(run).status == Status.WAITING
        signals.give(run, PROMOTE, operator)
        assert work(run).status == Status.SUCCEEDED

    @pytest.mark.parametrize("seconds", [-60, 0, 60])
    def test_gets_it_whatever_the_clock_of_who_gave_it_says(
        self, operator: Actor, settings: Settings, seconds: int
    ) -> None:
        run = waiting(operator, PROMOTE)
        ahead(settings, seconds=seconds)
        signals.give(run, PROMOTE, operator)
        ahead(settings, seconds=60 - seconds)
        assert work(run).status == Status.SUCCEEDED

    @pytest.mark.parametrize("seconds", [0, 60])
    def test_does_not_get_what_was_given_to_the_step_before_whatever_the_clocks_say(
        self, operator: Actor, settings: Settings, seconds: int
    ) -> None:
        run = work(start(operator, step("first", told(PROMOTE)), step("second", told(PROMOTE))))
        ahead(settings, seconds=seconds)
        signals.give(run, PROMOTE, operator)
        Run.objects.update(wake_at=clock.now() - timedelta(seconds=seconds + 1))
        ahead(settings, seconds=-seconds)
        assert work(run).status == Status.WAITING
        assert steps(run) == {"first": "done", "second": "waiting"}

    def test_waits_for_nothing_any_more_while_it_is_undone(self, operator: Actor, approver: Actor) -> None:
        run = start(operator, step("move", done, undo=lambda _: Wait(3000.0)), step("watch", told(APPROVE)))
        signals.give(work(run), CANCEL, operator)
        assert (work(run).status, run.waits_for) == (Status.UNDOING, "")
        assert refused(run, APPROVE, approver) is Code.INVALID


class Test_who_may_ask:
    @pytest.mark.parametrize("kind", [PROMOTE, SKIP])
    def test_nobody_for_what_no_step_waits_for(self, operator: Actor, kind: SignalKind) -> None:
        for run in (start(operator, step("move", done)), waiting(operator, APPROVE)):
            assert refused(run, kind, operator) is Code.INVALID

    @pytest.mark.parametrize("kind", list(SignalKind))
    def test_no_viewer_whatever_it_is_and_however_the_run_stands(
        self, operator: Actor, viewer: Actor, kind: SignalKind
    ) -> None:
        assert refused(waiting(operator, *signals.WAITED_FOR), kind, viewer) is Code.DENIED
        assert refused(work(start(operator, step("move", done))), kind, viewer) is Code.DENIED

    def test_to_approve_an_approver_who_did_not_start_the_run(self, operator: Actor, approver: Actor) -> None:
        own, other = waiting(approver, APPROVE), waiting(operator, APPROVE)
        assert refused(own, APPROVE, approver) is Code.DENIED
        assert refused(other, APPROVE, operator) is Code.DENIED
        assert signals.give(other, APPROVE, approver)
        assert work(other).status == Status.SUCCEEDED
        entry = AuditEntry.objects.get(action="run.approve", result="asked for")
        assert (entry.actor, entry.run) == (approver.person, other)

    def test_not_the_starter_through_a_token_either(self, approver: Actor) -> None:
        assert refused(waiting(approver, APPROVE), APPROVE, Actor(approver.person, "token ci")) is Code.DENIED

    def test_no_approver_who_is_no_operator(self, operator: Actor, viewer: Actor) -> None:
        assert viewer.person is not None
        viewer.person.groups.add(Group.objects.get_or_create(name="approver")[0])
        for kind in (APPROVE, CANCEL):
            assert refused(waiting(operator, APPROVE), kind, viewer) is Code.DENIED

    @pytest.mark.parametrize("kind", list(SignalKind))
    def test_nobody_through_what_may_only_read(self, operator: Actor, superuser: User, kind: SignalKind) -> None:
        reader = Actor(superuser, "token ci", frozenset({TokenScope.READ}))
        assert refused(waiting(operator, *signals.WAITED_FOR), kind, reader) is Code.DENIED

    def test_nothing_of_a_change_what_may_only_approve(self, operator: Actor, superuser: User) -> None:
        run = waiting(operator, APPROVE, PROMOTE)
        scopes = frozenset({TokenScope.APPROVE})
        for kind in (CANCEL, PAUSE, PROMOTE, APPROVE):
            assert refused(run, kind, Actor(superuser, "token chat", scopes)) is Code.DENIED
        assert signals.give(run, APPROVE, Actor(superuser, "token chat", scopes | {TokenScope.DEPLOY_PROD}))


class Test_what_is_kept_of_a_signal:
    def test_is_who_gave_it_through_what_and_why(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, Actor(operator.person, "token ci"), "lunch")
        signal = run.signals.get()
        assert (signal.actor, signal.actor_name, signal.via, signal.reason) == (
            operator.person,
            "olga",
            "token ci",
            "lunch",
        )
        entry = AuditEntry.objects.get(action="run.pause")
        assert (entry.actor, entry.via, entry.plan, entry.run) == (
            operator.person,
            "token ci",
            {"reason": "lunch"},
            run,
        )
        assert texts(run)[-1] == "olga via token ci asked to pause this run: lunch."

    def test_is_the_name_when_the_person_is_deleted_and_the_run_stays_paused(
        self, operator: Actor, approver: Actor
    ) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator)
        User.objects.filter(username="olga").delete()
        assert work(run).status == Status.PAUSED
        assert (run.signals.get().actor, run.signals.get().actor_name) == (None, "olga")
        assert signals.give(run, CANCEL, approver)
        assert work(run).result["summary"].startswith("Cancelled by anna.")

    @pytest.mark.parametrize(
        ("reason", "kept"),
        [
            ("", ""),
            ("   ", ""),
            ("nul \0 byte", "nul ‹U+0000› byte"),
            ("half \ud83d", "half ‹U+D83D›"),
            ("\u202eevil\u2066", "‹U+202E›evil‹U+2066›"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("over.\nSucceeded: 4 of 4 steps\r\n", "over. Succeeded: 4 of 4 steps"),
            ("token=hunter2 is old", "token=[redacted] is old"),
        ],
    )
    def test_is_a_reason_in_one_line_that_a_database_takes_and_no_secret(
        self, operator: Actor, reason: str, kept: str
    ) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator, reason)
        assert run.signals.get().reason == kept
        assert texts(run)[-1] == f"olga asked to pause this run{f': {kept}' if kept else ''}."

    def test_is_the_beginning_of_a_reason_of_10_megabytes(self, operator: Actor) -> None:
        run = waiting(operator, PROMOTE)
        signals.give(run, PAUSE, operator, "password=" * 1_200_000)
        assert len(run.signals.get().reason) <= 300
