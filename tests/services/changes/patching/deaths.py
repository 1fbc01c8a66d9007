"""Workers that die: what they had not stored is gone, and another takes the run over when its lease has run out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from functions_app import clock
from functions_app.domain.runs import Done, Kind, Status
from functions_app.models import Run
from functions_app.services.engine.steps import RunKind, StepSpec
from functions_app.services.kinds import KINDS
from tests.run_kinds import execute
from tests.services.changes.stage import DEADLINE_SECONDS, carry_out, log_of

MOMENTS = ("before", "after", "before the undo of", "after the undo of")


class Died(BaseException):
    """kill -9: nothing of the worker's catches it, nothing is stored any more."""


@dataclass
class Deaths:
    """Each moment of each step kills one worker. `came` are those that did, `fails` the step that then fails."""

    moments: Iterable[str] = MOMENTS
    fails: str = ""
    came: list[str] = field(default_factory=list)

    def kinds(self, kind: Kind) -> dict[Kind, RunKind]:
        """The kind, its workers mortal."""
        made = KINDS[kind]
        return {kind: replace(made, steps=lambda plan: tuple(self._mortal(spec) for spec in made.steps(plan)))}

    def _mortal(self, spec: StepSpec) -> StepSpec:
        undo = self._around(spec.undo, spec.name, " the undo of") if spec.undo else None
        return replace(spec, action=self._around(spec.action, spec.name), undo=undo)

    def _around(self, action: Callable[[Any], Any], name: str, more: str = "") -> Callable[[Any], Any]:
        def mortal(context: Any) -> Any:
            self._strike(f"before{more}", name)
            outcome = action(context)
            self._strike(f"after{more}", name)
            if not more and name == self.fails and isinstance(outcome, Done):
                raise KeyError("what nobody has thought of")
            return outcome

        return mortal

    def _strike(self, moment: str, name: str) -> None:
        if moment in self.moments and f"{moment} {name}" not in self.came:
            self.came.append(f"{moment} {name}")
            raise Died


def carry_out_dying(run: Run, deaths: Deaths) -> Run:
    """Be one worker after the other until the run has ended."""
    kinds = deaths.kinds(Kind(run.kind))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            execute(run, f"worker {time.monotonic_ns()}", kinds)
        except Died:
            Run.objects.filter(pk=run.pk).update(lease_until=clock.now() - timedelta(minutes=1))
        run.refresh_from_db()
        if Status(run.status).ended:
            return run
        assert time.monotonic() < deadline, log_of(run)
        time.sleep(0.02)
        Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=run.created_at)
        Run.objects.filter(pk=run.pk, status=Status.UNDOING, lease_owner="").update(
            lease_until=clock.now() - timedelta(minutes=1)
        )


def meanwhile(run: Run, before: str, act: Callable[[], object]) -> Run:
    """Carry the run out; somebody acts once, right before one of its steps."""
    made, left = KINDS[Kind(run.kind)], [act]

    def watched(spec: StepSpec) -> StepSpec:
        def action(context: Any) -> Any:
            if left:
                left.pop()()
            return spec.action(context)

        return replace(spec, action=action) if spec.name == before else spec

    found = carry_out(run, {made.kind: replace(made, steps=lambda plan: tuple(map(watched, made.steps(plan))))})
    assert not left, f"there is no step {before}, or it was not reached: {log_of(run)}"
    return found


def shorter(run: Run, name: str, limit: timedelta) -> dict[Kind, RunKind]:
    """The run's kind, one step of which is given up after so long."""
    made = KINDS[Kind(run.kind)]

    def steps(plan: dict[str, Any]) -> tuple[StepSpec, ...]:
        return tuple(replace(spec, limit=limit) if spec.name == name else spec for spec in made.steps(plan))

    return {made.kind: replace(made, steps=steps)}
