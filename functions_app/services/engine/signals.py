"""Signals: what people ask of a run under way. They are rows; `wake` lets a run that sleeps act on them."""

from typing import NoReturn

from django.db import transaction
from django.db.models import F, Q

from functions_app import clock, eventlog, runlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import one_line
from functions_app.domain.runs import ACTIVE, ASLEEP, Kind, Priority, SignalKind, Standing, Status
from functions_app.domain.tokens import CHANGES, TokenScope, needed
from functions_app.models import Run, Signal
from functions_app.runlog import announce
from functions_app.services.engine import messages
from functions_app.services.engine.kinds import kind_of
from functions_app.services.engine.leases import database_time
from functions_app.services.engine.run_words import BEGUN
from functions_app.services.people import access
from functions_app.services.people.actor import Actor, named

WAITED_FOR = (SignalKind.APPROVE, SignalKind.PROMOTE, SignalKind.SKIP)  # only while a step waits for them


def give(run: Run, kind: SignalKind, actor: Actor, reason: str = "") -> bool:
    """Store a signal with its audit entry and wake the run; False where the run has ended.

    Cancelling and pausing take effect between steps, and at once while the run waits. Asked for again, the same is one.
    Raises DENIED, and INVALID where the run takes no such signal now.
    """
    try:
        _require(run, kind, actor)
        with transaction.atomic():
            # This update holds the row till we commit: a worker that just now lets the run sleep sees the signal, or
            # we see it asleep.
            if not Run.objects.filter(pk=run.pk, status__in=ACTIVE).update(revision=F("revision") + 1):
                return False
            run = Run.objects.get(pk=run.pk)
            standing = standing_of(run.pk)
            if not _given(run, kind, standing):
                if kind not in taken(run, standing):
                    _refuse(run, kind, standing)
                _store(run, kind, actor, one_line(reason))
            return True
    except DrydockError as error:
        access.audit(actor, f"run.{kind}", _target(run), {}, f"refused: {error}", run)
        raise


def cancel_children(parent: Run) -> int:
    """Ask the runs that this one kept alive to end, because it ends; how many."""
    asked = 0
    for child in parent.children.filter(status__in=ACTIVE):
        with transaction.atomic():
            Run.objects.filter(pk=child.pk, status__in=ACTIVE).update(revision=F("revision") + 1)  # as in `give`
            child.refresh_from_db()
            if SignalKind.CANCEL in taken(child, standing_of(child.pk)):
                _store(child, SignalKind.CANCEL, Actor(None, f"run {parent.pk}"), "")
                asked += 1
    return asked


def may(run: Run, kind: SignalKind, actor: Actor) -> bool:
    """Whether this person may ask this of the run: operators, and to approve an approver who did not start it."""
    if kind is SignalKind.APPROVE:
        return access.is_approver(actor) and not _started_by(run, actor)
    return access.is_operator(actor)


def taken(run: Run, standing: Standing) -> tuple[SignalKind, ...]:
    """The signals that the run takes now, whoever gives them. One that is to end, or is being undone, takes none."""
    kind = kind_of(run.kind)
    if run.status in ACTIVE and kind is None:
        return (SignalKind.CANCEL,)  # however it stands, nothing else ends it: see `_end_unknown`
    if run.status not in ACTIVE or run.status == Status.UNDOING or standing.cancelled:
        return ()
    pausable = kind is not None and kind.pausable
    halting = (SignalKind.RESUME,) if standing.paused else (SignalKind.PAUSE,) if pausable else ()
    waited = tuple(kind for kind in WAITED_FOR if kind in run.waits_for.split())
    return (*waited, *halting, SignalKind.CANCEL)


def _given(run: Run, kind: SignalKind, standing: Standing) -> bool:
    """Whether it was given and still holds, or there is nothing to resume."""
    lasting = {
        SignalKind.CANCEL: standing.cancelled and kind_of(run.kind) is not None,
        SignalKind.PAUSE: standing.paused,
        SignalKind.RESUME: not standing.paused,
    }
    if kind in lasting:
        return lasting[kind]
    step = None if kind in run.waits_for.split() else run.steps.filter(status__in=BEGUN).first()
    return step is not None and Signal.objects.filter(run=run, kind=kind, pk__gt=step.heard).exists()


def _store(run: Run, kind: SignalKind, actor: Actor, reason: str) -> None:
    Signal.objects.create(
        run=run, kind=kind, actor=actor.person, actor_name=actor.name, via=actor.via, reason=reason, at=clock.now()
    )
    access.audit(actor, f"run.{kind}", _target(run), {"reason": reason}, "asked for", run)
    if kind in WAITED_FOR:
        Run.objects.filter(pk=run.pk).update(waits_for="")  # till its step says again what it waits for
    why = f": {reason}" if reason else ""
    runlog.append_message(run.pk, "warning", f"{named(actor.name, actor.via)} asked to {kind} this run{why}.")
    if kind is SignalKind.CANCEL and kind_of(run.kind) is None:
        _end_unknown(run, actor)
    wake(run.pk)
    transaction.on_commit(lambda: announce(run.pk))


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
    transaction.on_commit(
        lambda: cancel_children(run)
    )  # one that ends holds its own row, then its parent's: never both
    nobodys.update(
        status=Status.CANCELLED,
        result={**run.result, "summary": told},
        ended_at=clock.now(),
        wake_at=None,
        lease_owner="",
        lease_until=None,
    )
    eventlog.run_moved(run.pk, None)
    if run.parent_id:
        child_ended(run.parent_id)


def _require(run: Run, kind: SignalKind, actor: Actor) -> None:
    if kind is SignalKind.APPROVE:
        access.require_approver(actor)
    else:
        access.require_operator(actor)
    access.require_scopes(actor, _needed(run))
    if kind is SignalKind.APPROVE and _started_by(run, actor):
        raise DrydockError(
            Code.DENIED, "Who started a run does not approve it.", next_step="Ask another approver to look at it."
        )


def _needed(run: Run) -> frozenset[TokenScope]:
    """What the run itself needed, where it changes or calls a function; production's where nobody knows any more."""
    if run.kind not in CHANGES:
        return frozenset()
    return needed(Kind(run.kind), production=run.made_from is None or bool(run.made_from.confirmation))


def _started_by(run: Run, actor: Actor) -> bool:
    return actor.person is not None and actor.person.pk == run.actor_id


def _refuse(run: Run, kind: SignalKind, standing: Standing) -> NoReturn:
    if kind_of(run.kind) is None:
        why, next_step = "can only be cancelled: this version of Drydock does not know its kind", "Cancel it."
    elif run.status == Status.UNDOING or standing.cancelled:
        why, next_step = "is ending already", "Let it end."
    elif kind is SignalKind.PAUSE:
        why, next_step = "can't be paused: it is quick, or holds what others wait for", "Cancel it, or let it end."
    else:
        why, next_step = f"does not wait for “{kind}” now", "Look at what it does now."
    raise DrydockError(Code.INVALID, f"Run {run.pk} {why}.", next_step=next_step)


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
