"""How many threads of a queue may be at work on children: people's runs find the other half free."""

from django.conf import settings

from functions_app.domain.runs import Kind, Queue, Status
from functions_app.models import Run
from functions_app.services.engine.kinds import kinds


def at_most(queue: Queue) -> int:
    """How many threads of a queue children may have: half of one process's, however many processes there are."""
    return max(1, settings.ENV.worker_threads[queue.value] // 2)


def at_work(queue: Queue) -> int:
    """How many children have a worker of this queue now."""
    on = Run.objects.filter(parent__isnull=False, kind__in=kinds_on(queue), status__in=(Status.RUNNING, Status.UNDOING))
    return on.exclude(lease_owner="").count()


def kinds_on(queue: Queue) -> list[Kind]:
    """The kinds whose messages travel on a queue."""
    return [name for name, kind in kinds().items() if kind.queue is queue]
