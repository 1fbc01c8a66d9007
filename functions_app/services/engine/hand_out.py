"""The tick: hands out what is due, the urgent first."""

from datetime import datetime, timedelta
from itertools import chain

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from functions_app import clock
from functions_app.domain.runs import ASLEEP, Kind, Priority, Queue, Status
from functions_app.models import Run
from functions_app.services.engine import health, messages, shares
from functions_app.services.engine.kinds import kinds
from functions_app.services.engine.leases import database_time
from functions_app.services.engine.messages import MESSAGE_LIFE

RESEND = timedelta(seconds=5)  # unanswered for so long while its queue is empty, a message is lost and sent again
HAND_OUTS = 200  # per tick: the rest is due in the next one
LAST = 100  # ranks behind every priority


def hand_out_due() -> int:
    """Send a message for every run that is due or whose lease ran out; how many. Two ticks at once do no harm.

    `handed_out_at` is compared and set, so that a run is told once, and again only when its message is surely gone.
    First come those that a worker left, then what people started, then the schedule's, and then those that were told
    before, the longest ago first: however many there are, each is told before one is told twice. Of children only so
    many are told as may be at work.
    """
    now = clock.now()
    due = Q(status__in=ASLEEP, wake_at__lte=now)
    orphaned = Q(status__in=(Status.RUNNING, Status.UNDOING), lease_until__lt=database_time())
    told = due & Q(handed_out_at__gte=F("wake_at")) | orphaned & Q(handed_out_at__gte=F("lease_until"))
    quiet = Q(handed_out_at__lte=now - MESSAGE_LIFE)
    quiet |= Q(handed_out_at__lte=now - RESEND) & ~Q(kind__in=_waiting_kinds())
    rank = Case(When(told, then=Value(LAST)), When(orphaned, then=Value(Priority.URGENT)), default=F("priority"))
    wanted = Run.objects.filter(due | orphaned, kind__in=list(kinds())).order_by(
        rank, F("handed_out_at").asc(nulls_first=True), "wake_at", "pk"
    )
    now_due = wanted.filter(~told | quiet)
    lots = [_lot(now_due.filter(parent=None), HAND_OUTS)]
    families = wanted.filter(parent__isnull=False)
    for queue in Queue if families.exists() else ():
        children = families.filter(kind__in=shares.kinds_on(queue))
        room = shares.at_most(queue) - shares.at_work(queue) - children.filter(told).exclude(quiet).count()
        lots.append(_lot(children.filter(~told | quiet), max(0, room)))
    sent = 0
    for run_id, kind, before, priority, status in chain.from_iterable(lots):
        if _set(run_id, before, now):
            urgent = status in (Status.RUNNING, Status.UNDOING)
            messages.send(run_id, kinds()[Kind(kind)].queue, Priority.URGENT if urgent else priority)
            sent += 1
    return sent


def _set(run_id: int, before: datetime | None, now: datetime) -> bool:
    """Note that it is handed out, unless another did. A row that somebody holds is passed over: a process frozen in the
    middle of a transaction would keep every other run from being told, too.
    """
    with transaction.atomic():
        ours = Run.objects.filter(pk=run_id, handed_out_at=before)
        free = ours.select_for_update(skip_locked=True).values_list("pk", flat=True)
        return bool(free) and bool(ours.update(handed_out_at=now))


def _lot(due: QuerySet[Run], most: int) -> list[tuple[int, str, datetime | None, int, str]]:
    return list(due.values_list("pk", "kind", "handed_out_at", "priority", "status")[:most])


def _waiting_kinds() -> list[Kind]:
    """Kinds whose messages lie in their queue: none of those is lost, and telling again would only make more."""
    waiting = {queue for queue in Queue if health.waiting_messages(queue.value)}
    return [name for name, kind in kinds().items() if kind.queue in waiting]
