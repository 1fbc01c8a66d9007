"""Who gets a queue's threads: at most half of them children, and the urgent before what can wait."""

from django.conf import settings

from functions_app import clock
from functions_app.domain.runs import ASLEEP, Kind, Priority, Queue, Status
from functions_app.models import Run
from functions_app.services.engine.kinds import kinds
from functions_app.services.engine.leases import database_time


def at_most(queue: Queue) -> int:
    """How many threads of a queue children may have: half of one process's, however many processes there are."""
    return max(1, settings.ENV.worker_threads[queue.value] // 2)


def at_work(queue: Queue) -> int:
    """How many children have a worker of this queue now; one whose lease ran out has none."""
    on = Run.objects.filter(parent__isnull=False, kind__in=kinds_on(queue), status__in=(Status.RUNNING, Status.UNDOING))
    return on.exclude(lease_owner="").filter(lease_until__gte=database_time()).count()


def give_way(run_id: int, queue: Queue) -> bool:
    """Leave a run to the next tick if a more urgent one of its queue is due and has no worker yet; whether it was left.

    The lists of priorities alone don't see to that: a worker takes as many messages ahead as it has threads, and those
    that were sent ahead of their time wait within it. What somebody asked of a run, or a worker left, gives no way.
    """
    mine = Run.objects.filter(pk=run_id, status__in=(Status.QUEUED, Status.WAITING), signals=None)
    priority = mine.filter(priority__gt=Priority.PERSON).values_list("priority", flat=True).first()
    if priority is None:
        return False
    due = Run.objects.filter(kind__in=kinds_on(queue), status__in=ASLEEP, wake_at__lte=clock.now())
    return due.filter(priority__lt=priority).exists() and bool(mine.update(handed_out_at=None))


def kinds_on(queue: Queue) -> list[Kind]:
    """The kinds whose messages travel on a queue."""
    return [name for name, kind in kinds().items() if kind.queue is queue]
