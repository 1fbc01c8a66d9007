"""One worker's work on one run: its steps in order, what follows a failure, a cancellation or a crash."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.redaction import redact
from functions_app.domain.runs import Done, Outcome, Status, StepStatus, Wait
from functions_app.domain.text import storable
from functions_app.models import Run, RunStep
from functions_app.runlog import Logger
from functions_app.services.engine.leases import DATABASE_AWAY, Lease, LeaseLost
from functions_app.services.engine.steps import Cancelled, Context, RunKind, StepSpec
from functions_app.services.people import access

server_log = logging.getLogger(__name__)
COUNTDOWN_LIMIT = 60.0  # seconds: longer waits are left to the tick alone
NOTE = 500  # characters a note may have
NOT_UNDONE = "could not be undone: "  # begins the note of such a step
FINISHED = (StepStatus.DONE, StepStatus.SKIPPED)
TRIES = 5  # workers that may die in one step
BEGUN = (StepStatus.RUNNING, StepStatus.WAITING)  # an earlier try may or may not have had its effect


class Execution:
    """Carries a claimed run on from where it stands until it waits or has ended."""

    def __init__(self, run: Run, kind: RunKind, lease: Lease, log: Logger) -> None:
        self.run = run
        self.lease = lease
        self.log = log
        stored = {step.name: step for step in run.steps.all()}
        self.steps = [(spec, stored.get(spec.name) or _late_step(run, spec)) for spec in kind.steps]
        self.context = Context(run, log, lease, run.plan, run.memory, run.result)

    def carry_on(self) -> float | None:
        """Do what can be done now; the seconds to wait, or None when the run has ended. Raises LeaseLost."""
        if self.lease.taken_over:
            self.log.warning("The worker that had this run stopped answering; another takes it over.")
        if self.lease.status is Status.UNDOING:
            return self._undo()
        for spec, step in self.steps:
            if step.status in FINISHED:
                continue
            unknown = self._unknown(spec, step)
            if self.context.cancel_requested() and not unknown:
                return self._stop(Status.CANCELLED, step)
            unknown = unknown or self._hopeless(spec)
            begun = step.status in BEGUN
            outcome = unknown or self._perform(spec, step)
            if isinstance(outcome, Wait):
                return self._wait(step, outcome)
            if isinstance(outcome, Problem):
                return self._fail(step, outcome, undo=begun and spec.undo is not None)
            if isinstance(outcome, Cancelled):
                self._end_step(step, StepStatus.SKIPPED, f"cancelled: {outcome}")
                return self._stop(Status.CANCELLED)
            status = StepStatus.DONE if isinstance(outcome, Done) else StepStatus.SKIPPED
            self._end_step(step, status, outcome.note, known_here_alone=not spec.repeatable)
        self._end(Status.SUCCEEDED)
        return None

    # One step

    def _unknown(self, spec: StepSpec, step: RunStep) -> Problem | None:
        """The mark that a step which must not be repeated was under way when its worker vanished."""
        if spec.repeatable or step.status != StepStatus.RUNNING:
            return None
        began = f" at {step.started_at:%Y-%m-%d %H:%M:%S} UTC" if step.started_at else ""
        return Problem(
            Code.UNKNOWN_OUTCOME,
            f"The worker stopped while “{spec.title}” was under way (it began{began}): "
            "it may or may not have taken place. It is not repeated.",
            next_step=spec.look_at or f"Look in AWS at what “{spec.title}” does before you start it again.",
        )

    def _hopeless(self, spec: StepSpec) -> Problem | None:
        """That one worker after the other vanished in this step: the next one would, too."""
        if self.run.attempts < TRIES:
            return None
        return Problem(
            Code.FAILED,
            f"Its worker died {TRIES} times in “{spec.title}”, so it is not tried again.",
            next_step=f"The workers' logs tell why (run {self.run.pk}); memory that runs out is the usual cause.",
        )

    def _perform(self, spec: StepSpec, step: RunStep) -> Outcome | Problem | Cancelled:
        """Mark the step as running, then call it; every way it can end becomes a value."""
        resumed = step.status in (StepStatus.WAITING, StepStatus.RUNNING)
        step.status = StepStatus.RUNNING
        step.started_at = step.started_at or clock.now()
        self.lease.write(step=step)
        if not resumed:
            self.log.info(f"Step {step.position} of {len(self.steps)}: {spec.title}")
        self.context.deadline = step.started_at + spec.limit if spec.limit is not None else None
        try:
            outcome = spec.action(self.context)
        except (LeaseLost, *DATABASE_AWAY):
            raise  # nothing is wrong with the step: its lease runs out, and the run goes on from what is stored
        except Cancelled as cancelled:
            return cancelled
        except DrydockError as error:
            return error.problem
        except Exception as error:  # noqa: BLE001 - the boundary: whatever a step raises must end its run, not hide
            return self._unexpected(error, f"the step “{spec.title}”")
        if isinstance(outcome, Wait) and self.context.deadline and clock.now() > self.context.deadline:
            return Problem(
                Code.FAILED,
                f"“{spec.title}” was not finished after {_span(clock.now() - step.started_at)}"
                + (f": {outcome.note}" if outcome.note else "."),
                next_step="Look at the function in AWS; run it again when the cause is gone.",
            )
        return outcome

    def _unexpected(self, error: Exception, where: str) -> Problem:
        server_log.error("run %s: unexpected error in %s", self.run.pk, where, exc_info=error)
        return Problem(
            Code.FAILED,
            f"Drydock itself failed in {where}: {type(error).__name__}.",
            next_step=f"The server's log has the details (run {self.run.pk}); please report them as a defect.",
        )

    def _end_step(self, step: RunStep, status: StepStatus, note: str, *, known_here_alone: bool = False) -> None:
        step.status = status
        step.note = storable(redact(note), NOTE)
        step.ended_at = clock.now()
        write = self.lease.write_what_only_we_know if known_here_alone else self.lease.write
        write(step=step, memory=self.context.memory, result=self.context.result, attempts=0)
        self.run.attempts = 0
        took = _span(step.ended_at - step.started_at) if step.started_at else ""
        self.log.info(f"{step.title}: {step.note or status.value} ({took})")

    # What follows

    def _wait(self, step: RunStep, wait: Wait) -> float:
        now = clock.now()
        step.status = StepStatus.WAITING
        step.note = storable(redact(wait.note), NOTE)
        seconds = max(0.0, wait.seconds)
        due = now + timedelta(seconds=seconds)
        self.log.flush()  # whoever goes on after the wait writes after these
        self.lease.write(
            to=Status.WAITING,
            step=step,
            memory=self.context.memory,
            result=self.context.result,
            wake_at=due,
            # A message is on its way and arrives then; the tick sends another only if nobody came.
            handed_out_at=due if seconds <= COUNTDOWN_LIMIT else None,
        )
        return seconds

    def _fail(self, step: RunStep, problem: Problem, *, undo: bool) -> float | None:
        """End the run as failed. `undo`: an earlier try of this step may have had its effect, its undo finds out."""
        if not undo:
            step.status = StepStatus.FAILED
        step.note = storable(redact(problem.message), NOTE)
        step.ended_at = clock.now()
        self.log.error(f"{step.title}: {_in_words(problem)}")
        return self._stop(Status.FAILED, step, problem)

    def _stop(self, end: Status, step: RunStep | None = None, problem: Problem | None = None) -> float | None:
        """End the run as failed or cancelled, after taking back the steps that had or may have had an effect."""
        self.run.problem = problem.as_json() if problem else None
        settled = any(spec.settles and done.status in FINISHED for spec, done in self.steps)
        if not settled and any(_undoable(spec, begun) for spec, begun in self.steps):
            kept = {"memory": self.context.memory, "result": self.context.result, "problem": self.run.problem}
            self.lease.write(to=Status.UNDOING, step=step, attempts=0, **kept)
            self.run.attempts = 0  # an undo has tries of its own
            return self._undo()
        if step is not None and step.status == StepStatus.RUNNING:
            step.status = StepStatus.WAITING  # its worker vanished; nobody is at it any more
        self._end(end, step)
        return None

    def _undo(self) -> float | None:
        """Take back what was done, the last first; one that cannot be taken back does not keep the others."""
        for spec, step in reversed(self.steps):
            if spec.undo is None or not _undoable(spec, step):
                continue
            if self.context.memory.get("undoing") != step.name:
                self.context.memory["undoing"] = step.name
                self.log.info(f"Undo: {spec.title}")
            outcome = self._take_back(spec, spec.undo)
            if isinstance(outcome, Wait):
                return self._pause_undo(outcome)
            step.note, step.status = storable(redact(outcome[0] or "undone"), NOTE), outcome[1]
            self.lease.write(step=step, memory=self.context.memory, result=self.context.result, attempts=0)
            self.run.attempts = 0
            told = self.log.info if step.status == StepStatus.UNDONE else self.log.error
            told(f"{spec.title}: {step.note}")
        self._end(Status.FAILED if self.run.problem else Status.CANCELLED)
        return None

    def _take_back(self, spec: StepSpec, undo: Callable[[Context], str | Wait]) -> tuple[str, StepStatus] | Wait:
        if hopeless := self._hopeless(spec):
            return f"{NOT_UNDONE}{_in_words(hopeless)}", StepStatus.FAILED
        try:
            note = undo(self.context)
        except (LeaseLost, *DATABASE_AWAY):
            raise
        except DrydockError as error:
            return f"{NOT_UNDONE}{_in_words(error.problem)}", StepStatus.FAILED
        except Exception as error:  # noqa: BLE001 - the same boundary as in _perform
            told = self._unexpected(error, f"undoing “{spec.title}”")
            return f"{NOT_UNDONE}{told.message}", StepStatus.FAILED
        return note if isinstance(note, Wait) else (note, StepStatus.UNDONE)

    def _pause_undo(self, wait: Wait) -> float:
        """Let go of a run whose undo waits: it stays UNDOING, so its lease says when the next worker may go on."""
        due = clock.now() + timedelta(seconds=wait.seconds)
        self.log.flush()
        memory, result = self.context.memory, self.context.result
        self.lease.write(memory=memory, result=result, lease_owner="", lease_until=due, handed_out_at=due)
        return wait.seconds

    def _end(self, status: Status, step: RunStep | None = None) -> None:
        summary = self._summary(status)
        (self.log.error if status is Status.FAILED else self.log.info)(summary)
        self.log.flush()  # before the status: after it the log is closed
        with transaction.atomic():  # the step's fate, the run's end and its audit entry: all or, after a crash, none
            self.lease.write(
                to=status,
                step=step,
                problem=self.run.problem,
                memory=self.context.memory,
                result={**self.context.result, "summary": summary},
                ended_at=clock.now(),
                wake_at=None,
            )
            if self.run.actor_name != access.SCHEDULE:
                # Read anew: person and function may have been deleted meanwhile.
                run = Run.objects.select_related("actor", "function").get(pk=self.run.pk)
                target = run.function.arn if run.function else run.title
                access.audit(run.actor, f"{run.kind}.{status}", target, {}, summary, run, run.actor_name)

    def _summary(self, status: Status) -> str:
        """What was really done, in one sentence."""
        if status is Status.SUCCEEDED:
            return f"Succeeded: {len(self.steps)} of {len(self.steps)} steps, {_span(_since(self.run.started_at))}."

        def named(*wanted: StepStatus) -> str:
            return ", ".join(step.title for _, step in self.steps if step.status in wanted)

        kept, undone = named(StepStatus.DONE), named(StepStatus.UNDONE)
        begun, never = named(*BEGUN), named(StepStatus.PENDING)
        stuck = ", ".join(step.title for spec, step in self.steps if spec.undo and _not_undone(step))
        by = Run.objects.values_list("cancel_requested_by", flat=True).get(pk=self.run.pk)
        start = f"Cancelled by {by}." if status is Status.CANCELLED else "Failed."
        nothing = "Nothing was changed for good." if undone else "Nothing was done."
        parts = [f"Done and kept: {kept}." if kept else nothing]
        parts += [f"Undone: {undone}."] if undone else []
        parts += [f"Could not be undone: {stuck}."] if stuck else []
        parts += [f"Begun, not finished: {begun}."] if begun else []
        parts += [f"Not done: {never}."] if never else []
        return " ".join([start, *parts])


def _undoable(spec: StepSpec, step: RunStep) -> bool:
    return spec.undo is not None and step.status in (StepStatus.DONE, *BEGUN)


def _not_undone(step: RunStep) -> bool:
    return step.status == StepStatus.FAILED and step.note.startswith(NOT_UNDONE)


def _late_step(run: Run, spec: StepSpec) -> RunStep:
    """A step that an upgrade of Drydock brought while the run was under way."""
    position = run.steps.count() + 1
    return run.steps.create(position=position, name=spec.name, title=spec.title, status=StepStatus.PENDING)


def _in_words(problem: Problem) -> str:
    facts = [problem.aws_code, f"request {problem.request_id}" if problem.request_id else ""]
    named = ", ".join(fact for fact in facts if fact)
    return redact(
        " ".join(part for part in (problem.message, f"({named})" if named else "", problem.next_step) if part)
    )


def _since(moment: datetime | None) -> timedelta:
    return clock.now() - moment if moment else timedelta()


def _span(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"
