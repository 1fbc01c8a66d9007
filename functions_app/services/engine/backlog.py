"""What waits: runs that are due and have no worker, and messages that no worker has taken, by queue."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from functions_app.domain.runs import ASLEEP, Queue
from functions_app.models import Run
from functions_app.services.engine import health
from functions_app.services.engine.kinds import kind_of


@dataclass(frozen=True)
class Waiting:
    """How many runs of a queue are due, for how many seconds the longest, and how many messages lie there."""

    due: int
    longest: float
    messages: int


def waiting(now: datetime) -> dict[Queue, Waiting]:
    """By queue. One query, and a look at Redis for each."""
    due = Run.objects.filter(status__in=ASLEEP, wake_at__lte=now).order_by()
    found = dict.fromkeys(Queue, (0, now))
    for name, count, first in due.values_list("kind").annotate(count=Count("pk"), first=Min("wake_at")):
        if kind := kind_of(name):
            before, earliest = found[kind.queue]
            found[kind.queue] = before + count, min(earliest, first)
    return {
        queue: Waiting(count, (now - first).total_seconds(), health.waiting_messages(queue.value))
        for queue, (count, first) in found.items()
    }
