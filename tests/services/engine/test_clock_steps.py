"""Clocks that are put forward or back while runs are under way: none stands still or is taken from its worker."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from functions_app.domain.runs import LEASE, Outcome, Status, Wait
from functions_app.models import Run
from functions_app.services.engine.clock_steps import look_after_absence
from functions_app.services.engine.hand_out import hand_out_due
from functions_app.services.engine.leases import Lease
from functions_app.services.engine.steps import Context
from functions_app.services.people.actor import Actor
from functions_app.tasks import tick
from tests.services.engine.engine_stage import ahead, done, stage, start, step, steps, work

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]
JUMPS = [timedelta(hours=1), timedelta(days=1)]
back = pytest.mark.parametrize("jump", JUMPS)
both = pytest.mark.parametrize("jump", [*JUMPS, *(-jump for jump in JUMPS)])


def put(settings: Settings, by: timedelta) -> None:
    """Somebody sets the clock; the tick sees it a second later."""
    tick()
    ahead(settings, seconds=by.total_seconds())
    tick()


def waits(context: object) -> Outcome:
    return Wait(2.0, "not yet")


def taken_over(run: Run) -> bool:
    return Lease.claim(run.pk, "another") is not None


@both
def test_a_run_that_sleeps_for_seconds_wakes_within_them(jump: timedelta, operator: Actor, settings: Settings) -> None:
    tries: list[object] = []

    def twice(context: Context) -> Outcome:
        tries.append(context)
        return Wait(2.0, "not yet") if len(tries) == 1 else done(context)

    run = start(operator, step("waiting", twice))
    assert work(run).status == Status.WAITING

    put(settings, jump)
    ahead(settings, seconds=3)

    assert work(run).status == Status.SUCCEEDED


@both
def test_a_worker_that_lives_keeps_its_run(jump: timedelta, operator: Actor, settings: Settings) -> None:
    run = start(operator, step("long", done))
    claimed = Lease.claim(run.pk, "alive")
    assert claimed is not None

    put(settings, jump)

    assert not taken_over(run)
    ahead(settings, seconds=4)
    claimed[0].renew()
    ahead(settings, seconds=12)
    assert not taken_over(run)


@both
def test_the_run_of_one_that_died_is_taken_over_within_a_lease(
    jump: timedelta, operator: Actor, settings: Settings
) -> None:
    run = start(operator, step("long", done))
    assert Lease.claim(run.pk, "dead") is not None

    put(settings, jump)
    ahead(settings, seconds=LEASE.total_seconds() + 1)

    assert hand_out_due() == 1
    assert work(run).status == Status.SUCCEEDED


@back
def test_a_message_that_was_lost_is_sent_again(jump: timedelta, operator: Actor, settings: Settings) -> None:
    start(operator, step("quick", done))  # told to a worker, who never came

    put(settings, -jump)
    ahead(settings, seconds=61)

    assert hand_out_due() == 1


@back
def test_an_undo_that_waits_goes_on(jump: timedelta, operator: Actor, settings: Settings) -> None:
    tries: list[object] = []

    def undo(context: object) -> str | Wait:
        tries.append(context)
        return Wait(5.0) if len(tries) == 1 else "taken back"

    def breaks(context: object) -> Outcome:
        raise ValueError("it breaks")

    run = start(operator, step("moved", done, undo=undo), step("checked", breaks))
    assert work(run).status == Status.UNDOING

    put(settings, -jump)
    ahead(settings, seconds=6)
    work(run)

    assert (run.status, steps(run)["moved"]) == (Status.FAILED, "undone")


@back
def test_a_step_that_waits_in_vain_ends_by_its_limit(jump: timedelta, operator: Actor, settings: Settings) -> None:
    run = start(operator, step("waiting", waits, limit=timedelta(minutes=1)))
    work(run)

    put(settings, -jump)
    for _ in range(60):
        ahead(settings, seconds=3)
        if Status(work(run).status).ended:
            break

    assert run.status == Status.FAILED


@back
def test_what_slept_or_was_held_when_all_of_drydock_was_started_anew_goes_on(
    jump: timedelta, operator: Actor, settings: Settings
) -> None:
    sleeping = start(operator, step("waiting", waits))
    held = start(operator, step("waiting", waits))
    work(sleeping)
    assert Lease.claim(held.pk, "dead") is not None

    ahead(settings, seconds=-jump.total_seconds())
    look_after_absence()
    ahead(settings, seconds=LEASE.total_seconds() + 1)

    assert Lease.claim(sleeping.pk, "next") is not None
    assert Lease.claim(held.pk, "next") is not None


def test_clocks_that_go_on_as_time_does_change_nothing(operator: Actor, settings: Settings) -> None:
    tick()  # what the tests before did with clocks is over
    run = start(operator, step("waiting", lambda context: Wait(3000.0)))
    due = work(run).wake_at

    for _ in range(3):
        ahead(settings, seconds=1)
        tick()
    run.refresh_from_db()

    assert run.wake_at == due
