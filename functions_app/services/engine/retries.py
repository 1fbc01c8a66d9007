"""What failed is asked for again where asking changes nothing; whatever changes something is planned anew."""

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Status, kind_label
from functions_app.models import Run
from functions_app.services.engine.kinds import kind_of
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

ACTION = "run.retry"
TO_RETRY = frozenset({Status.FAILED, Status.CANCELLED})


def asks_again(kind: str) -> bool:
    """Whether what such a run does is just asked for again, should it fail."""
    known = kind_of(kind)
    return known is not None and known.again is not None


def may_be(run: Run) -> bool:
    """Whether the same can be asked for again: it failed or was cancelled, and is of a kind that changes nothing."""
    return Status(run.status) in TO_RETRY and asks_again(run.kind)


def retry(run: Run, actor: Actor) -> Run:
    """Ask for the same again: another run, of whoever asks. Raises DENIED, PREFLIGHT, BUSY, NOT_FOUND.

    A refused attempt is in the audit table.
    """
    try:
        access.require_operator(actor)
        known = kind_of(run.kind)
        if known is None or known.again is None:
            raise _planned_anew(run)
        if Status(run.status) not in TO_RETRY:
            raise DrydockError(Code.PREFLIGHT, f"Run {run.pk} has not failed ({run.status}). Nothing was started.")
        return known.again(run.plan, actor)
    except DrydockError as error:
        access.audit(actor, ACTION, f"run {run.pk}", None, f"refused: {error}", run)
        raise


def _planned_anew(run: Run) -> DrydockError:
    if run.kind == Kind.INVOCATION:
        return DrydockError(
            Code.PREFLIGHT,
            "An invocation is never repeated by itself: the function may have run.",
            next_step="Invoke again from the run's page, which opens the filled form.",
        )
    return DrydockError(
        Code.PREFLIGHT,
        f"{kind_label(run.kind)}: that changes something, so it is planned anew and never repeated as it was planned.",
        next_step="Plan it again, look at the plan, and apply that.",
    )
