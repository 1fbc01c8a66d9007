"""Runs of steps that a test makes up, and a clock that it moves."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from functions_app import clock, runlog
from functions_app.domain.runs import Done, Kind, Outcome, SignalKind, Wait
from functions_app.models import Run
from functions_app.services.engine import runs
from functions_app.services.engine.leases import Lease
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always
from functions_app.services.people.actor import Actor

KINDS: dict[Kind, RunKind] = {}
Action = Callable[[Context], Outcome]


@pytest.fixture
def stage(settings: Settings, valkey: object) -> None:
    """The kinds are those that the test makes up."""
    settings.DRYDOCK_KINDS = f"{__name__}.KINDS"
    KINDS.clear()


def upgrade(*specs: StepSpec, pausable: bool = True) -> None:
    """From now on a deployment has these steps."""
    KINDS[Kind.DEPLOYMENT] = RunKind(Kind.DEPLOYMENT, always(specs), pausable=pausable)


def start(actor: Actor, *specs: StepSpec, pausable: bool = True) -> Run:
    """A run of these steps."""
    upgrade(*specs, pausable=pausable)
    return runs.submit(Kind.DEPLOYMENT, title="A change", plan={}, actor=actor)


def step(name: str, action: Action, **facts: Any) -> StepSpec:
    """A step called like its name."""
    return StepSpec(name, name.capitalize(), action, **facts)


def work(run: Run) -> Run:
    """Be a worker that was told of the run."""
    runs.execute(run.pk, "worker")
    run.refresh_from_db()
    return run


def die_in(run: Run, name: str) -> None:
    """Be a worker that vanishes in a step, so long ago that its lease has run out."""
    claimed = Lease.claim(run.pk, "vanished")
    assert claimed is not None
    begun = run.steps.get(name=name)
    begun.status, begun.started_at = "running", begun.started_at or clock.now()
    claimed[0].write(step=begun)
    Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(seconds=1))


def ahead(settings: Settings, **span: float) -> None:
    """Time goes by."""
    settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=settings.ENV.clock_ahead + timedelta(**span))


def steps(run: Run) -> dict[str, str]:
    """How the steps stand."""
    return {row.name: row.status for row in run.steps.all()}


def texts(run: Run) -> list[str]:
    """What the log says."""
    return [line.text for line in runlog.read(run.pk)]


def done(context: Context) -> Outcome:
    """At once."""
    return Done()


def told(*kinds: SignalKind, seconds: float | None = None) -> Action:
    """Done once one of these signals came."""

    def action(context: Context) -> Outcome:
        given = context.signal(*kinds)
        return Done(f"{given.kind} by {given.actor_name}") if given else Wait(seconds, "not yet", kinds)

    return action


def once(folder: Path, first: Callable[[Context], object], then: Outcome) -> Action:
    """Something happens in the first try, which answers `then`; the next is done."""

    def action(context: Context) -> Outcome:
        file = folder / context.step.name
        if file.exists():
            return Done()
        file.touch()
        first(context)
        return then

    return action
