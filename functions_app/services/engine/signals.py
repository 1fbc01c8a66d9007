"""Signals: what people ask of a run under way. They are rows; `wake` lets a run that sleeps act on them."""

from django.db import transaction
from django.db.models import F, Q

from functions_app import clock, runlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import ACTIVE, ANY_TIME, ASLEEP, Priority, SignalKind, Standing, Status
from functions_app.domain.text import storable
from functions_app.models import Run, Signal
from functions_app.runlog import announce
from functions_app.services.engine import messages
from functions_app.services.engine.kinds import kind_of
from functions_app.services.engine.leases import database_time
from functions_app.services.people import access
from functions_app.services.people.actor import Actor


def give(run: Run, kind: SignalKind, actor: Actor, reason: str = "") -> bool:
    """Store a signal with its audit entry and wake the run; False where the run has ended.

    Cancelling and pausing take effect between steps, and at once while the run waits. Asked for again, the same is one.
    Raises DENIED, and INVALID where the run takes no such signal now.
    """
    try:
        with transaction.atomic():
            # This update holds the row till we commit: a worker that just now lets the run sleep sees the signal, or
            # we see it asleep.
            if not Run.objects.filter(pk=run.pk, status__in=ACTIVE).update(revision=F("revision") + 1):
                return False
            run = Run.objects.get(pk=run.pk)
            _check(run, kind, actor)
            return _store(run, kind, actor, storable(reason, 300).strip())
    except DrydockError as error:
        access.audit(actor, f"run.{kind}", _target(run), {}, f"refused: {error}", run)
        raise


def cancel_children(parent: Run) -> int:
    """Ask the runs that this one kept alive to end, because it ends; how many."""
    asked = 0
    for child in parent.children.filter(status__in=ACTIVE):
        with transaction.atomic():
            if Run.objects.filter(pk=child.pk, status__in=ACTIVE).update(revision=F("revision") + 1):
                _store(child, SignalKind.CANCEL, Actor(None, f"run {parent.pk}"), "")
                asked += 1
    return asked


def _store(run: Run, kind: SignalKind, actor: Actor, reason: str) -> bool:
    standing = standing_of(run.pk)
    orphan = kind is SignalKind.CANCEL and kind_of(run.kind) is None
    again = {SignalKind.CANCEL: standing.cancelled and not orphan, SignalKind.PAUSE: standing.paused}
    if again.get(kind) or (kind is SignalKind.RESUME and not standing.paused):
        return True
    Signal.objects.create(
        run=run, kind=kind, actor=actor.person, actor_name=actor.name, via=actor.via, reason=reason, at=clock.now()
    )
    access.audit(actor, f"run.{kind}", _target(run), {"reason": reason}, "asked for", run)
    why = f": {reason}" if reason else ""
    runlog.append_message(run.pk, "warning", f"{actor.name} asked to {kind} this run{why}.")
    if orphan:
        _end_unknown(run, actor)
    wake(run.pk)
    transaction.on_commit(lambda: announce(run.pk))
    return True


def _end_unknown(run: Run, actor: Actor) -> None:
    """End a run of a kind that an upgrade took away: no worker ever would, and its lock would be held for good.

    A worker that is at it now is of a version that knows the kind, and ends it itself.
    """
    told = (
        f"Cancelled by {actor.name}. This version of Drydock has no runs of this kind: what it had begun is not known."
    )
    nobodys = Run.objects.filter(Q(lease_until=None) | Q(lease_until__lt=database_time()), pk=run.pk)
    if not nobodys.exists():
        return
    runlog.append_message(run.pk, "info", told)  # before the status: after it the log is closed
    cancel_children(run)
    nobodys.update(
        status=Status.CANCELLED,
        result={**run.result, "summary": told},
        ended_at=clock.now(),
        wake_at=None,
        lease_owner="",
        lease_until=None,
    )
    if run.parent_id:
        wake(run.parent_id)


def _check(run: Run, kind: SignalKind, actor: Actor) -> None:
    if kind is SignalKind.APPROVE:
        access.require_approver(actor)
        if actor.person and actor.person.pk == run.actor_id:
            raise DrydockError(
                Code.DENIED, "Who started a run does not approve it.", next_step="Ask another approver to look at it."
            )
    else:
        access.require_operator(actor)
    known = kind_of(run.kind)
    if kind not in ANY_TIME and kind not in run.waits_for.split():
        raise DrydockError(
            Code.INVALID, f"Run {run.pk} does not wait for “{kind}” now.", next_step="Look at what it does now."
        )
    if kind is SignalKind.PAUSE and not (known and known.pausable and run.status != Status.UNDOING):
        raise DrydockError(
            Code.INVALID,
            f"Run {run.pk} can't be paused: it is quick, or holds what others wait for, or is being undone.",
            next_step="Cancel it instead, or let it end.",
        )


def _target(run: Run) -> str:
    return f"run {run.pk}: {run.title}"


def wake(run_id: int) -> None:
    """Make a run that sleeps due now, and tell a worker once the transaction is through; any other is left alone."""
    now = clock.now()
    if not Run.objects.filter(pk=run_id, status__in=ASLEEP).update(wake_at=now, handed_out_at=now):
        return
    kind = kind_of(Run.objects.values_list("kind", flat=True).get(pk=run_id))
    if kind is not None:
        transaction.on_commit(lambda: messages.send(run_id, kind.queue, Priority.URGENT))


def child_ended(parent_id: int) -> None:
    """Wake the run that keeps others alive, in the transaction that ends one of them; not while it is paused."""
    # As in `give`: its worker lets it sleep before us, and we wake it, or after us, and it sees that one has ended.
    if not Run.objects.filter(pk=parent_id, status__in=ACTIVE).update(revision=F("revision") + 1):
        return
    if not Run.objects.filter(pk=parent_id, status=Status.PAUSED).exists():
        wake(parent_id)
    transaction.on_commit(lambda: announce(parent_id))


def standing_of(run_id: int) -> Standing:
    """What is asked of a run now. One query."""
    return Standing.of(Signal.objects.filter(run=run_id).order_by("pk").values_list("pk", "kind", "actor_name"))
