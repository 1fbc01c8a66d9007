"""Runs that another keeps alive: how many, which, made once, and what becomes of them when it ends or stands still."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import ACTIVE, ENDED, Done, Kind, Outcome, Priority, SignalKind, Status, Wait
from functions_app.models import AuditEntry, Run
from functions_app.services.engine import children, hand_out, runs, signals
from functions_app.services.engine.leases import Lease
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.run_kinds import count, execute, wanted
from tests.services.engine.test_runs import submit as submit_change
from tests.services.engine.test_runs import texts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "test_kinds")]

LOG_QUERIES = 8  # lines are stored by a thread of their own, or by the run's when it is first


@pytest.fixture
def test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


def submit(folder: Path, number: int, at_once: int, actor: Actor = SCHEDULE, **plan: Any) -> Run:
    """A run that wants so many others."""
    plan = {"folder": str(folder), "wanted": [f"{key:04}" for key in range(number)], "at_once": at_once, **plan}
    return runs.submit(Kind.PATCH, title="All of them", plan=plan, actor=actor)


def carry_on(run: Run, owner: str = "worker") -> Run:
    """Do what is due of it, as a worker that was told."""
    execute(run, owner)
    run.refresh_from_db()
    return run


def alive(parent: Run) -> list[str]:
    return list(parent.children.filter(status__in=ACTIVE).order_by("pk").values_list("child_key", flat=True))


def made(parent: Run) -> list[str]:
    return list(parent.children.order_by("pk").values_list("child_key", flat=True))


def end_one(parent: Run) -> Run:
    """The first child that is alive does all it has to do."""
    child = parent.children.filter(status__in=ACTIVE).order_by("pk")[0]
    assert Status(carry_on(child).status).ended
    return child


def leave(run: Run) -> None:
    """Its worker vanished long enough ago."""
    Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))


@contextmanager
def at_each_child(happens: Callable[[int], None]) -> Iterator[None]:
    """Something happens as each child is stored, in the same transaction; it is given the child's number."""
    stored = []

    def receive(instance: Run, created: bool, **_: object) -> None:
        if created and instance.parent_id:
            stored.append(instance)
            happens(len(stored))

    post_save.connect(receive, sender=Run)
    try:
        yield
    finally:
        post_save.disconnect(receive, sender=Run)


def parent_of(action: Callable[[Context], Outcome]) -> dict[Kind, RunKind]:
    """A kind of parent of one step."""
    return {Kind.PATCH: RunKind(Kind.PATCH, always((StepSpec("members", "Change them all", action),)))}


class Test_a_parent:
    def test_has_so_many_children_alive_and_no_more_till_all_are_over(self, tmp_path: Path) -> None:
        parent = submit(tmp_path, 7, at_once=3)
        numbers = []
        while not Status(carry_on(parent).status).ended:
            numbers.append(len(alive(parent)))
            end_one(parent)
        assert numbers == [3, 3, 3, 3, 3, 2, 1]
        assert parent.status == Status.SUCCEEDED
        assert parent.steps.get().note == "7 of 7 ended (7 succeeded)"

    def test_makes_them_in_the_order_that_is_wanted(self, tmp_path: Path) -> None:
        parent = submit(tmp_path, 0, at_once=2, wanted=["c", "a", "b"])
        assert made(carry_on(parent)) == ["c", "a"]
        end_one(parent)
        assert made(carry_on(parent)) == ["c", "a", "b"]

    def test_that_wants_nobody_is_over_at_once(self, tmp_path: Path) -> None:
        assert carry_on(submit(tmp_path, 0, at_once=3)).status == Status.SUCCEEDED

    def test_makes_nothing_anew_where_nothing_has_changed(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 5, at_once=2, seconds=0))
        assert made(carry_on(parent)) == ["0000", "0001"]
        assert count(tmp_path, "members") == 2

    def test_goes_on_where_children_fail_and_tells_how_they_ended(self, tmp_path: Path) -> None:
        parent = submit(tmp_path, 2, at_once=1, child={"fails": "expected"})
        for _ in range(2):
            carry_on(parent)
            end_one(parent)
        assert carry_on(parent).status == Status.SUCCEEDED
        assert parent.steps.get().note == "2 of 2 ended (2 failed)"

    def test_tells_how_many_of_how_many_have_ended(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 4, at_once=2))
        assert (parent.progress_done, parent.progress_total, parent.progress_unit) == (0, 4, "changes")
        end_one(parent)
        assert carry_on(parent).progress_done == 1

    def test_of_a_thousand_never_has_more_rows_than_may_be_alive(self, tmp_path: Path) -> None:
        parent = submit(tmp_path, 1_000, at_once=3)
        execute(parent, "worker")
        assert parent.children.count() == 3
        for ended in range(1, 4):
            end_one(parent)
            execute(parent, "worker")
            assert parent.children.count() == 3 + ended

    def test_makes_a_child_in_as_many_queries_of_a_thousand_as_of_ten(self, tmp_path: Path) -> None:
        taken = []
        for number, locks in ((10, 5), (1_000, 900)):
            busy = [f"busy-{number}-{at}" for at in range(locks)]
            for lock in busy[:5]:
                submit_change(tmp_path, lock=lock)
            held = {f"{at:04}": busy[at % 5] for at in range(locks)}
            parent = submit(tmp_path, number, at_once=2, locks=held)
            with CaptureQueriesContext(connections["default"]) as queries:
                execute(parent, "worker")
            assert made(parent) == [f"{locks:04}", f"{locks + 1:04}"]
            taken.append(len(queries))
        assert abs(taken[0] - taken[1]) <= LOG_QUERIES


class Test_each_child_is_made_once:
    @pytest.mark.parametrize("second", [2, 3])
    def test_though_its_parents_worker_is_killed_between_two(self, tmp_path: Path, second: int) -> None:
        def killed(number: int) -> None:
            if number == second:
                raise KeyboardInterrupt

        parent = submit(tmp_path, 5, at_once=3)
        with at_each_child(killed), pytest.raises(KeyboardInterrupt):
            execute(parent, "killed")
        assert len(made(parent)) == second - 1
        leave(parent)
        assert made(carry_on(parent, "the next")) == ["0000", "0001", "0002"]

    def test_and_a_worker_that_lost_its_lease_makes_no_more(self, tmp_path: Path) -> None:
        def taken_over(number: int) -> None:
            if number == 1:
                Run.objects.filter(pk=parent.pk).update(lease_owner="another")

        parent = submit(tmp_path, 5, at_once=3)
        with at_each_child(taken_over):
            assert execute(parent, "frozen") is False
        assert made(parent) == ["0000"]
        leave(parent)
        assert made(carry_on(parent, "another again")) == ["0000", "0001", "0002"]


class Test_a_child_whose_lock_another_run_has:
    def test_is_passed_over_and_comes_when_it_is_free(self, tmp_path: Path) -> None:
        holder = submit_change(tmp_path, lock="arn:b")
        parent = submit(tmp_path, 0, at_once=2, wanted=["a", "b", "c", "d"], locks={"b": "arn:b"})
        assert made(carry_on(parent)) == ["a", "c"]
        carry_on(holder)
        end_one(parent)
        assert made(carry_on(parent)) == ["a", "c", "b"]

    def test_is_passed_over_while_a_sister_has_it(self, tmp_path: Path) -> None:
        parent = submit(tmp_path, 0, at_once=3, wanted=["a", "b"], locks={"a": "arn:x", "b": "arn:x"})
        assert made(carry_on(parent)) == ["a"]
        end_one(parent)
        assert made(carry_on(parent)) == ["a", "b"]

    def test_does_no_harm_when_it_is_taken_at_this_very_moment(self, tmp_path: Path) -> None:
        def taken(number: int) -> None:
            if number == 1:
                Run.objects.filter(pk=other.pk).update(lock="arn:b")

        other = submit_change(tmp_path)
        parent = submit(tmp_path, 0, at_once=2, wanted=["a", "b", "c"], locks={"b": "arn:b"})
        with at_each_child(taken):
            carry_on(parent)
        assert made(parent) == ["a", "c"]
        assert parent.status == Status.WAITING


class Test_the_end_of_a_child:
    def test_wakes_its_parent(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 3, at_once=1))
        assert parent.wake_at is None
        end_one(parent)
        parent.refresh_from_db()
        assert parent.wake_at is not None
        assert parent.wake_at <= clock.now()

    def test_that_comes_before_its_parent_sleeps_wakes_it_too(self, tmp_path: Path) -> None:
        def slow(context: Context) -> Outcome:
            children.keep_alive(context, wanted(context), 1, "changes")
            end_one(context.run)
            return Wait()

        parent = submit(tmp_path, 3, at_once=1)
        execute(parent, "worker", parent_of(slow))
        parent.refresh_from_db()
        assert parent.status == Status.WAITING
        assert parent.wake_at is not None

    def test_that_is_being_stored_while_its_parent_falls_asleep_wakes_it_too(self, tmp_path: Path) -> None:
        ending = threading.Event()

        def end(child: Run) -> None:
            try:
                with transaction.atomic():
                    Run.objects.filter(pk=child.pk).update(status=Status.SUCCEEDED)
                    signals.child_ended(parent.pk)
                    ending.set()
                    time.sleep(0.5)  # the parent falls asleep meanwhile
            finally:
                connections.close_all()

        def slow(context: Context) -> Outcome:
            children.keep_alive(context, wanted(context), 1, "changes")
            threads.append(threading.Thread(target=end, args=[context.run.children.get()]))
            threads[0].start()
            assert ending.wait(5)
            return Wait()

        threads: list[threading.Thread] = []
        parent = submit(tmp_path, 3, at_once=1)
        execute(parent, "worker", parent_of(slow))
        threads[0].join()
        parent.refresh_from_db()
        assert parent.status == Status.WAITING
        assert parent.wake_at is not None

    def test_shows_on_its_parents_open_page(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 3, at_once=1))
        before = parent.revision
        end_one(parent)
        parent.refresh_from_db()
        assert parent.revision > before

    def test_wakes_nobody_once_its_parent_has_ended(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 3, at_once=1))
        Run.objects.filter(pk=parent.pk).update(status=Status.FAILED)
        end_one(parent)
        parent.refresh_from_db()
        assert (parent.status, parent.wake_at) == (Status.FAILED, None)


class Test_a_parent_that_ends_before_its_children:
    def test_because_it_is_cancelled_asks_those_that_queue_wait_or_work_to_end(
        self, tmp_path: Path, operator: Actor
    ) -> None:
        parent = carry_on(submit(tmp_path, 9, at_once=3, actor=operator, child={"waits": 9, "seconds": 3000}))
        queued, waiting, running = parent.children.order_by("pk")
        carry_on(waiting)
        owner = claimed(running)

        signals.give(parent, SignalKind.CANCEL, operator)
        assert carry_on(parent).status == Status.CANCELLED
        assert "Runs of this one that were asked to end: 3." in texts(parent)
        assert carry_on(queued).status == Status.CANCELLED
        assert carry_on(waiting).status == Status.CANCELLED
        Run.objects.filter(pk=running.pk, lease_owner=owner).update(lease_until=clock.now() - timedelta(seconds=1))
        assert carry_on(running).status == Status.CANCELLED
        assert queued.result["summary"].startswith(f"Cancelled by run {parent.pk}.")
        assert waiting.steps.get(name="change").status == "undone"
        assert len(made(parent)) == 3

    def test_because_it_fails_asks_them_too(self, tmp_path: Path) -> None:
        parent = carry_on(submit(tmp_path, 9, at_once=3, fails=True))
        end_one(parent)
        assert carry_on(parent).status == Status.FAILED
        ended = [carry_on(child).status for child in parent.children.order_by("pk")]
        assert ended == [Status.SUCCEEDED, *[Status.CANCELLED] * 3]

    def test_asks_nobody_where_its_worker_has_lost_it(self, tmp_path: Path) -> None:
        def loses(context: Context) -> Outcome:
            children.keep_alive(context, wanted(context), 2, "changes")
            Run.objects.filter(pk=context.run.pk).update(lease_owner="another")
            raise DrydockError(Code.FAILED, "The connection broke while it was frozen.")

        parent = submit(tmp_path, 2, at_once=2)
        kinds = {Kind.PATCH: RunKind(Kind.PATCH, always((StepSpec("members", "Change them all", loses),)))}
        assert execute(parent, "frozen", kinds) is False
        assert [child.signals.count() for child in parent.children.all()] == [0, 0]

    def test_asks_each_once_though_its_worker_dies_over_it(self, tmp_path: Path, operator: Actor) -> None:
        parent = carry_on(submit(tmp_path, 2, at_once=2, actor=operator))
        signals.cancel_children(parent)
        signals.give(parent, SignalKind.CANCEL, operator)
        assert carry_on(parent).status == Status.CANCELLED
        assert [child.signals.count() for child in parent.children.all()] == [1, 1]

    def test_leaves_a_record_of_whom_it_asked(self, tmp_path: Path, operator: Actor) -> None:
        parent = carry_on(submit(tmp_path, 1, at_once=1, actor=operator))
        signals.give(parent, SignalKind.CANCEL, operator)
        carry_on(parent)
        entry = AuditEntry.objects.get(action="run.cancel", run=parent.children.get())
        assert (entry.actor, entry.actor_name) == (None, f"run {parent.pk}")


def claimed(run: Run) -> str:
    """A worker has it."""
    lease = Lease.claim(run.pk, "at work")
    assert lease is not None
    return lease[0].owner


class Test_a_paused_parent:
    def test_makes_no_new_children_and_sleeps_while_the_others_end(self, tmp_path: Path, operator: Actor) -> None:
        parent = carry_on(submit(tmp_path, 5, at_once=2, actor=operator))
        signals.give(parent, SignalKind.PAUSE, operator)
        assert carry_on(parent).status == Status.PAUSED
        end_one(parent)
        end_one(parent)
        assert hand_out.hand_out_due() == 0
        assert carry_on(parent).status == Status.PAUSED
        assert made(parent) == ["0000", "0001"]
        assert sum(text.startswith("Paused by") for text in texts(parent)) == 1

    def test_goes_on_where_it_stood_when_it_is_resumed(self, tmp_path: Path, operator: Actor) -> None:
        parent = carry_on(submit(tmp_path, 5, at_once=2, actor=operator))
        signals.give(parent, SignalKind.PAUSE, operator)
        carry_on(parent)
        end_one(parent)
        signals.give(parent, SignalKind.RESUME, operator)
        assert carry_on(parent).status == Status.WAITING
        assert made(parent) == ["0000", "0001", "0002"]
        assert len(alive(parent)) == 2

    def test_may_be_cancelled(self, tmp_path: Path, operator: Actor) -> None:
        parent = carry_on(submit(tmp_path, 5, at_once=2, actor=operator))
        signals.give(parent, SignalKind.PAUSE, operator)
        carry_on(parent)
        signals.give(parent, SignalKind.CANCEL, operator)
        assert carry_on(parent).status == Status.CANCELLED
        assert {carry_on(child).status for child in parent.children.all()} == {Status.CANCELLED}


class Test_a_child:
    def test_is_its_parents_persons_in_the_table_and_in_the_audit(self, tmp_path: Path, operator: Actor) -> None:
        via = Actor(operator.person, via="token deploys")
        parent = carry_on(submit(tmp_path, 1, at_once=1, actor=via))
        child = end_one(parent)
        assert (child.actor, child.actor_name, child.via) == (operator.person, "olga", "token deploys")
        assert child.priority == Priority.CHILD
        entries = AuditEntry.objects.filter(run=child).order_by("pk").values_list("action", "actor_name", "via")
        assert list(entries) == [
            ("deployment.submit", "olga", "token deploys"),
            ("deployment.succeeded", "olga", "token deploys"),
        ]

    def test_of_the_schedules_leaves_no_audit_entry(self, tmp_path: Path) -> None:
        end_one(carry_on(submit(tmp_path, 1, at_once=1)))
        assert not AuditEntry.objects.exists()

    def test_keeps_the_name_of_a_person_who_was_deleted_meanwhile(self, tmp_path: Path, operator: Actor) -> None:
        def leaves(context: Context) -> Outcome:
            User.objects.filter(username="olga").delete()
            children.keep_alive(context, wanted(context), 1, "changes")
            return Done()

        parent = submit(tmp_path, 1, at_once=1, actor=operator)
        execute(parent, "worker", parent_of(leaves))
        child = parent.children.get()
        assert (child.actor, child.actor_name) == (None, "olga")
        assert AuditEntry.objects.get(run=child).actor_name == "olga"

    def test_whose_parent_is_deleted_goes_with_it_and_its_worker_writes_nothing(self, tmp_path: Path) -> None:
        def goes(context: Context) -> Outcome:
            context.log.flush()  # or PostgreSQL refuses to delete a run of which a line is just being written
            Run.objects.filter(pk=parent.pk).delete()
            return Done()

        parent = carry_on(submit(tmp_path, 2, at_once=2))
        child = parent.children.order_by("pk")[0]
        kind = {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always((StepSpec("prepare", "Prepare", goes),)))}
        assert execute(child, "worker", kind) is False
        assert not Run.objects.exists()

    def test_that_undoes_and_waits_is_told_again_by_the_tick(self, tmp_path: Path) -> None:
        def fails(context: Context) -> Outcome:
            raise KeyError

        parent = carry_on(submit(tmp_path, 1, at_once=1))
        child = parent.children.get()
        specs = (
            StepSpec("prepare", "Prepare", lambda _: Done(), undo=lambda _: Wait(0.0)),
            StepSpec("change", "Change", fails),
        )
        execute(child, "worker", {Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always(specs))})
        child.refresh_from_db()
        assert child.status == Status.UNDOING
        leave(child)
        assert hand_out.hand_out_due() == 1


def test_children_may_have_children_and_all_end_with_the_first(tmp_path: Path, operator: Actor) -> None:
    def nests(context: Context) -> Outcome:
        child = children.Child("inner", Kind.PATCH, "A wave", context.plan["inner"])
        children.keep_alive(context, [child], 1, "waves")
        return Wait()

    inner = {"folder": str(tmp_path), "wanted": ["a", "b"], "at_once": 2}
    first = submit(tmp_path, 0, at_once=1, actor=operator, inner=inner)
    execute(first, "worker", parent_of(nests))
    wave = carry_on(first.children.get())
    assert alive(wave) == ["a", "b"]

    signals.give(first, SignalKind.CANCEL, operator)
    for run in (first, wave, *wave.children.all()):
        assert carry_on(run).status == Status.CANCELLED
    assert not Run.objects.exclude(status__in=ENDED).exists()
