"""What stands for a step of a run that this version of Drydock has no longer: an upgrade took it away meanwhile."""

from collections.abc import Callable

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Outcome, Skipped
from functions_app.models import RunStep
from functions_app.services.engine.run_words import BEGUN
from functions_app.services.engine.steps import Context, StepSpec


def vanished(step: RunStep, settled: Callable[[], bool]) -> StepSpec:
    """A step that fails its run, unless what the run did is proven already (`settled`).

    One that was under way, or its undo, may have had its effect, which nobody here can take back.
    """
    begun = step.status in BEGUN or step.undo_started_at is not None
    missing = f"This version of Drydock has no step “{step.title}”"

    def say_so(context: Context) -> Outcome:
        if settled():
            return Skipped("this version of Drydock does this no longer")
        context.log.warning(f"Drydock was upgraded while this run was under way, and has no step “{step.name}” now.")
        if begun:
            raise DrydockError(
                Code.UNKNOWN_OUTCOME,
                f"{missing}, which an older one had begun: it may or may not have taken place.",
                next_step="Look in AWS at what it does before you plan the change again.",
            )
        raise DrydockError(
            Code.FAILED, f"{missing}; the run was made by an older one.", next_step="Plan the change again."
        )

    def leave_it(context: Context) -> str:
        raise DrydockError(Code.FAILED, f"{missing}, which an older one had begun.")

    return StepSpec(step.name, step.title, say_so, undo=leave_it if begun else None)
