"""One worker's work on one run: its steps in order, what follows a failure, a cancellation or a crash."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from functions_app import clock
from functions_app.domain.durations import span
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.redaction import redact
from functions_app.domain.runs import ENDED, Done, Outcome, Standing, Status, StepStatus, Wait
from functions_app.domain.text import storable
from functions_app.models import Run, RunStep
from functions_app.runlog import Logger
from functions_app.services.engine import signals
from functions_app.services.engine.database_state import DATABASE_AWAY
from functions_app.services.engine.leases import Lease, LeaseLost, database_time
from functions_app.services.engine.run_words import (
    BEGUN,
    NOT_UNDONE,
    OVERTAKEN,
    TOLD,
    hopeless,
    in_words,
    summary,
    unknown_outcome,
)
from functions_app.services.engine.steps import Cancelled, Context, RunKind, StepSpec
from functions_app.services.engine.vanished_steps import vanished
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

server_log = logging.getLogger(__name__)
COUNTDOWN_LIMIT = 60.0  # seconds: longer waits are left to the tick alone
NOTE = 500  # characters a note may have
FINISHED = (StepStatus.DONE, StepStatus.SKIPPED)
UNDO_AGAIN = 5.0  # seconds after which an undo that waits without a time is called again


@dataclass(frozen=True)
class _Failure:
    """A step that failed. `may_have_acted`: it did not refuse, it broke off, so that its effect may be there."""

    problem: Problem
    may_have_acted: bool = False


class Execution:
    """Carries a claimed run on from where it stands until it waits or has ended.

    Its steps are those that were stored when it was made. What an upgrade took away fails it, where nothing has proved
    yet what was done; what an upgrade added it does not do. Its end says both.
    """

    def __init__(self, run: Run, kind: RunKind, lease: Lease, log: Logger) -> None:
        self.run = run
        self.lease = lease
        self.log = log
        known = {spec.name: spec for spec in self._specs(kind)}
        stored = list(run.steps.all())
        self.steps = [(known.pop(step.name, vanished(step, self._settled)), step) for step in stored]
        self.new = [spec.title for spec in known.values()]
        self.pausable = kind.pausable
        self.context = Context(run, log, lease, run.plan, run.memory, run.result, stored[0])

    def carry_on(self) -> float | None:
        """Do what can be done now; the seconds to wait, or None when the run has ended or sleeps. Raises LeaseLost."""
        if self.lease.taken_over:
            self.log.warning("The worker that had this run stopped answering; another takes it over.")
        if self.lease.status is Status.UNDOING:
            return self._undo()
        for spec, step in self.steps:
            if step.status in FINISHED:
                continue
            if step.status in BEGUN:
                step.idle, self.lease.idle = step.idle + self.lease.idle, timedelta()
            unknown, asked = unknown_outcome(spec, step), signals.standing_of(self.run.pk)
            begun = step.status in BEGUN
            if asked.cancelled and not unknown:
                return self._stop(Status.CANCELLED, step)
            if asked.paused and self.pausable and not unknown and not step.settles:
                self._pause(step, asked)
                return None
            unknown = unknown or hopeless(self.run, spec)
            outcome = _Failure(unknown) if unknown else self._perform(spec, step, asked)
            if isinstance(outcome, Wait):
                return self._wait(step, outcome, asked)
            if isinstance(outcome, _Failure):
                if not (spec.repeatable or unknown):
                    step.memory[TOLD] = outcome.problem.as_json()
                    self.lease.write_what_only_we_know(step, self.log.flush, **self._learned())
                undo = spec.undo is not None and (begun or outcome.may_have_acted)
                return self._fail(step, outcome.problem, undo=undo)
            if isinstance(outcome, Cancelled):
                self._end_step(step, StepStatus.SKIPPED, f"cancelled: {outcome}")
                return self._stop(Status.CANCELLED)
            status = StepStatus.DONE if isinstance(outcome, Done) else StepStatus.SKIPPED
            self._end_step(step, status, outcome.note, known_here_alone=not spec.repeatable)
        self._end(Status.SUCCEEDED)
        return None

    # One step

    def _specs(self, kind: RunKind) -> Sequence[StepSpec]:
        """The kind's steps; none where it can't read a plan that an older Drydock made, and then the run ends so."""
        try:
            return kind.steps(self.run.plan)
        except Exception:  # noqa: BLE001 - the same boundary as in _perform: whatever it raises must end the run
            server_log.exception("run %s: its plan gives no steps", self.run.pk)
            return ()

    def _perform(self, spec: StepSpec, step: RunStep, asked: Standing) -> "Outcome | _Failure | Cancelled":
        """Mark the step as running, then call it; every way it can end becomes a value."""
        resumed, died = step.status in BEGUN, step.status == StepStatus.RUNNING  # it may not have told its beginning
        step.status = StepStatus.RUNNING
        now = clock.now()
        began = step.started_at = min(step.started_at or now, now)  # a clock put back must not give it a day more
        if not resumed:
            step.heard = asked.last
        if not resumed or died:
            self.log.info(f"Step {step.position} of {len(self.steps)}: {spec.title}")
        self.lease.write(step=step)
        self.context.step, self.context.children_ended = step, None
        self.context.deadline = deadline = began + step.idle + spec.limit if spec.limit is not None else None
        try:
            outcome = spec.action(self.context)
        except (LeaseLost, *DATABASE_AWAY):
            raise  # nothing is wrong with the step: its lease runs out, and the run goes on from what is stored
        except Cancelled as cancelled:
            return cancelled
        except DrydockError as error:
            return _Failure(error.problem)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever a step raises must end its run, not hide
            return _Failure(self._unexpected(error, f"the step “{spec.title}”"), may_have_acted=True)
        if isinstance(outcome, Wait) and deadline and clock.now() >= deadline:
            late = Problem(
                Code.FAILED,
                f"“{spec.title}” was not finished after {span(clock.now() - began - step.idle)}"
                + (f": {outcome.note}" if outcome.note else "."),
                next_step="Look at the function in AWS; run it again when the cause is gone.",
            )
            return _Failure(late, may_have_acted=True)
        return outcome

    def _unexpected(self, error: Exception, where: str) -> Problem:
        server_log.error("run %s: unexpected error in %s", self.run.pk, where, exc_info=error)
        return Problem(
            Code.FAILED,
            f"Drydock itself failed in {where}: {type(error).__name__}.",
            next_step=f"The server's log has the details (run {self.run.pk}); please report them as a defect.",
        )

    def _end_step(self, step: RunStep, status: StepStatus, note: str, *, known_here_alone: bool = False) -> None:
        step.status, step.note = status, storable(redact(note), NOTE)
        step.ended_at = clock.now()
        took = span(step.ended_at - step.started_at) if step.started_at else ""
        self.log.info(f"{step.title}: {step.note or status.value} ({took})")
        facts = {"attempts": 0, "waits_for": "", "progress_total": None, **self._learned()}
        if known_here_alone:
            self.lease.write_what_only_we_know(step, self.log.flush, **facts)
        else:
            self.log.flush()  # first its lines: nobody does the step again, should this worker die now
            self.lease.write(step=step, **facts)
        self.run.attempts = 0

    def _learned(self) -> dict[str, Any]:
        """What every write at the end of a try stores of the run."""
        return {"memory": self.context.shared, "result": self.context.result}

    # What follows

    def _wait(self, step: RunStep, wait: Wait, asked: Standing) -> float | None:
        """Let go of the run until the time or the signal comes, or the step's limit is reached."""
        now = clock.now()
        step.status = StepStatus.WAITING
        step.note = storable(redact(wait.note), NOTE)
        asked_for = now + timedelta(seconds=max(0.0, wait.seconds)) if wait.seconds is not None else None
        due = min((at for at in (asked_for, self.context.deadline) if at is not None), default=None)
        woken = self._let_go(Status.WAITING, step, due, asked, waits_for=" ".join(wait.until))
        return None if woken or due is None else (due - now).total_seconds()

    def _pause(self, step: RunStep, asked: Standing) -> None:
        """Stand still before this step until somebody resumes."""
        self.log.info(f"Paused by {asked.by}, before “{step.title}”.")
        if step.status == StepStatus.RUNNING:
            step.status = StepStatus.WAITING  # its worker vanished; nobody is at it any more
        self._let_go(Status.PAUSED, step, None, asked, paused_at=clock.now())

    def _let_go(self, status: Status, step: RunStep, due: datetime | None, asked: Standing, **fields: Any) -> bool:
        """Let the run sleep. True: a signal came, or a child ended, while we still had it; that found nobody asleep,
        and so wakes it now.
        """
        self.log.flush()  # whoever goes on writes after these
        soon = due is not None and due - clock.now() <= timedelta(seconds=COUNTDOWN_LIMIT)
        # Soon: a message is on its way and arrives then; the tick sends another only if nobody came.
        handed_out = due if soon and not self.run.parent_id else None
        with transaction.atomic():  # both or, after a crash, none: a signal that nobody looks for is lost
            self.lease.write(to=status, step=step, wake_at=due, handed_out_at=handed_out, **self._learned(), **fields)
            seen = self.context.children_ended
            children = seen is not None and self.run.children.filter(status__in=ENDED).count() != seen
            if not children and signals.standing_of(self.run.pk).last == asked.last:
                return False
            signals.wake(self.run.pk)
        return True

    def _fail(self, step: RunStep, problem: Problem, *, undo: bool) -> float | None:
        """End the run as failed. `undo`: this step may have had its effect all the same, its undo finds out."""
        if not undo:
            step.status = StepStatus.FAILED
        step.note = storable(redact(problem.message), NOTE)
        step.ended_at = clock.now()
        self.log.error(f"{step.title}: {in_words(problem)}")
        return self._stop(Status.FAILED, step, problem)

    def _settled(self) -> bool:
        return any(step.settles and step.status in FINISHED for _, step in self.steps)

    def _stop(self, end: Status, step: RunStep | None = None, problem: Problem | None = None) -> float | None:
        """End the run as failed or cancelled, after taking back the steps that had or may have had an effect."""
        self.run.problem = problem.as_json() if problem else None
        self.lease.write()  # whoever lost the run ends nobody's children
        if stopped := signals.cancel_children(self.run):
            self.log.info(f"Runs of this one that were asked to end: {stopped}.")
        if step is not None and step.status == StepStatus.RUNNING:
            step.status = StepStatus.WAITING  # its worker vanished; nobody is at it any more
        if not self._settled() and any(_undoable(spec, begun) for spec, begun in self.steps):
            facts = {"problem": self.run.problem, "waits_for": "", "progress_total": None, **self._learned()}
            self.log.flush()
            self.lease.write(to=Status.UNDOING, step=step, attempts=0, **facts)
            self.run.attempts = 0  # an undo has tries of its own
            return self._undo()
        self._end(end, step)
        return None

    def _undo(self) -> float | None:
        """Take back what was done, the last first; one that cannot be taken back does not keep the others."""
        for spec, step in reversed(self.steps):
            if spec.undo is None or not _undoable(spec, step):
                continue
            self.context.step, now = step, clock.now()
            if step.undo_started_at is None:
                step.undo_started_at, step.idle = now, timedelta()
                self.log.info(f"Undo: {spec.title}")
            else:
                step.undo_started_at = min(step.undo_started_at, now)  # as in _perform
                step.idle, self.lease.idle = step.idle + self.lease.idle, timedelta()
            limit = spec.undo_limit
            self.context.deadline = step.undo_started_at + step.idle + limit if limit is not None else None
            outcome = self._take_back(spec, step, spec.undo)
            if isinstance(outcome, Wait):
                return self._pause_undo(step, outcome)
            step.note, step.status = storable(redact(outcome[0] or "undone"), NOTE), outcome[1]
            told = self.log.info if step.status == StepStatus.UNDONE else self.log.error
            told(f"{spec.title}: {step.note}")
            self.log.flush()
            self.lease.write(step=step, attempts=0, **self._learned())
            self.run.attempts = 0
        self._end(Status.FAILED if self.run.problem else Status.CANCELLED)
        return None

    def _take_back(
        self, spec: StepSpec, step: RunStep, undo: Callable[[Context], str | Wait]
    ) -> tuple[str, StepStatus] | Wait:
        if died := hopeless(self.run, spec):
            return f"{NOT_UNDONE}{in_words(died)}", StepStatus.FAILED
        self.lease.write(step=step)
        try:
            note = undo(self.context)
        except (LeaseLost, *DATABASE_AWAY):
            raise
        except DrydockError as error:
            return f"{NOT_UNDONE}{in_words(error.problem)}", StepStatus.FAILED
        except Exception as error:  # noqa: BLE001 - the same boundary as in _perform
            told = self._unexpected(error, f"undoing “{spec.title}”")
            return f"{NOT_UNDONE}{told.message}", StepStatus.FAILED
        if not isinstance(note, Wait):
            return note, StepStatus.UNDONE
        spent = clock.now() - (step.undo_started_at or clock.now()) - step.idle
        if spec.undo_limit is not None and spent >= spec.undo_limit:
            return f"{NOT_UNDONE}not finished after {span(spent)}: {note.note or 'no reason given'}", StepStatus.FAILED
        return note

    def _pause_undo(self, step: RunStep, wait: Wait) -> float:
        """Let go of a run whose undo waits: it stays UNDOING, so its lease says when the next worker may go on.

        Nothing wakes it earlier: an undo takes no signals.
        """
        seconds = UNDO_AGAIN if wait.seconds is None else wait.seconds
        self.log.flush()
        due = database_time(timedelta(seconds=seconds))
        handed_out = due if seconds <= COUNTDOWN_LIMIT and not self.run.parent_id else None  # as in _let_go
        self.lease.write(step=step, lease_owner="", lease_until=due, handed_out_at=handed_out, **self._learned())
        return seconds

    def _end(self, status: Status, step: RunStep | None = None) -> None:
        took = clock.now() - self.run.started_at if self.run.started_at else timedelta()
        by = signals.standing_of(self.run.pk).by
        overtaken = frozenset(self.context.result.get(OVERTAKEN, ()))
        told = summary(status, [stored for _, stored in self.steps], took, by, self.new, overtaken)
        (self.log.error if status is Status.FAILED else self.log.info)(told)
        self.log.flush()  # before the status: after it the log is closed
        with transaction.atomic():  # the step's fate, the run's end and its audit entry: all or, after a crash, none
            self.lease.write(
                to=status,
                step=step,
                problem=self.run.problem,
                memory=self.context.shared,
                result={**self.context.result, "summary": told},
                ended_at=clock.now(),
                wake_at=None,
                waits_for="",
                progress_total=None,
            )
            # Read anew: person and function may have been deleted meanwhile.
            run = Run.objects.select_related("actor", "function").get(pk=self.run.pk)
            actor = Actor(run.actor, run.via, named=run.actor_name)
            if not actor.is_schedule:
                target = run.function.arn if run.function else run.title
                access.audit(actor, f"{run.kind}.{status}", target, {}, told, run)
            if run.parent_id:
                signals.child_ended(run.parent_id)


def _undoable(spec: StepSpec, step: RunStep) -> bool:
    return spec.undo is not None and step.status in (StepStatus.DONE, *BEGUN)
