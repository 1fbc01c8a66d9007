"""What a step remembers is its own, and outlives crash, pause and upgrade."""

from typing import Any

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, SignalKind, Status, Wait
from functions_app.models import Run
from functions_app.services.engine import signals
from functions_app.services.engine.steps import Context
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.services.engine.engine_stage import die_in, done, stage, start, step, upgrade, work

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]


def count(context: Context) -> Outcome:
    """Remember how often it was called; done the third time."""
    context.memory["calls"] = context.memory.get("calls", 0) + 1
    return Done() if context.memory["calls"] == 3 else Wait(0)


def memory(run: Run, name: str = "count") -> dict[str, Any]:
    """What a step knows."""
    known: dict[str, Any] = run.steps.get(name=name).memory
    return known


def test_a_step_remembers_from_one_try_to_the_next(operator: Actor) -> None:
    run = start(operator, step("count", count))
    for calls in (1, 2, 3):
        assert memory(work(run)) == {"calls": calls}
    assert run.status == Status.SUCCEEDED


def test_the_next_step_sees_nothing_of_it_but_what_they_share(operator: Actor) -> None:
    seen = []

    def first(context: Context) -> Outcome:
        context.memory["version"], context.shared["image"] = "8", "app"
        return Done()

    def second(context: Context) -> Outcome:
        seen.append((dict(context.memory), dict(context.shared)))
        context.memory["version"] = "9"
        return Done()

    run = work(start(operator, step("first", first), step("second", second)))
    assert seen == [({}, {"image": "app"})]
    assert (memory(run, "first"), memory(run, "second")) == ({"version": "8"}, {"version": "9"})


def test_what_was_saved_is_there_after_a_crash_and_what_was_not_is_not(operator: Actor) -> None:
    class Killed(BaseException):
        pass

    def act(context: Context) -> Outcome:
        if context.memory:
            return Done()
        context.memory["saved"] = True
        context.save()
        context.memory["unsaved"] = True
        raise Killed

    run = start(operator, step("count", act))
    with pytest.raises(Killed):
        work(run)
    die_again(run)
    assert work(run).status == Status.SUCCEEDED
    assert memory(run) == {"saved": True}


def test_a_pause_keeps_it(operator: Actor) -> None:
    run = work(start(operator, step("count", count)))
    for kind in (SignalKind.PAUSE, SignalKind.RESUME):
        signals.give(run, kind, operator)
        work(run)
    assert memory(run) == {"calls": 2}


def test_an_upgrade_that_keeps_the_step_keeps_it(operator: Actor) -> None:
    run = work(start(operator, step("count", count), step("old", done)))
    upgrade(step("new", done), step("count", count), step("old", done))
    assert memory(work(run)) == {"calls": 2}


def test_its_undo_knows_what_it_did_though_the_step_failed(operator: Actor) -> None:
    told = []

    def act(context: Context) -> Outcome:
        if context.memory:
            context.memory["second"] = True
            raise DrydockError(Code.FAILED, "It does not work.")
        context.memory["first"] = True
        return Wait(0)

    def back(context: Context) -> str:
        told.append(dict(context.memory))
        return "back"

    run = work(start(operator, step("count", act, undo=back)))
    assert work(run).status == Status.FAILED
    assert told == [{"first": True, "second": True}]


def test_a_text_that_no_database_takes_is_kept_as_one_that_it_takes() -> None:
    hostile = {"half \ud83d": ["nul \0", {"\u202e": float("nan")}]}

    def act(context: Context) -> Outcome:
        context.memory.update(hostile)
        context.save()
        return Done()

    run = work(start(SCHEDULE, step("count", act)))
    assert run.status == Status.SUCCEEDED
    assert memory(run) == {"half ‹U+D83D›": ["nul ‹U+0000›", {"‹U+202E›": None}]}


def die_again(run: Run) -> None:
    """The worker that had it is gone, and its lease has run out."""
    Run.objects.filter(pk=run.pk).update(lease_until=None, lease_owner="", status=Status.QUEUED)
    die_in(run, "count")
