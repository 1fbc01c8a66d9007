"""One log of what happens to the installation: kept with what makes it so, numbered, read. The database is the truth.

Who commits first need not have inserted first. So an event gets its number when it can be seen, from whoever reads next
or from the tick, and whoever has read up to a number has missed none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from functions_app import clock
from functions_app.domain.events import EventKind
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.runs import Status, is_settled
from functions_app.domain.text import storable
from functions_app.models import Event, Run
from functions_app.publishing import publish

CHANNEL = "drydock:events"
PAGE = 500  # events
KEEP = timedelta(days=7)  # who was away for longer reads the lists anew
_NUMBERS = 4_157_202_611  # the lock of who numbers, in PostgreSQL: any number that nothing else locks
TRIES = 5  # to number: another may do it at the same moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, numbered."""

    sequence: int
    at: datetime
    kind: str
    text: str
    arn: str
    run: int | None
    facts: dict[str, Any]


# Writing


def event(kind: EventKind, text: str, /, *, arn: str = "", run: int | None = None, **facts: Any) -> Event:
    """An event of now, not kept yet."""
    said = storable(redact(text), 300)
    return Event(at=clock.now(), kind=kind, text=said, arn=arn, run_number=run, facts=redact_value(facts))


def tell(*events: Event) -> None:
    """Keep what happened; called in the transaction that makes it so."""
    if events:
        Event.objects.bulk_create(events, batch_size=500)
        transaction.on_commit(lambda: publish(CHANNEL, {"changed": True}))


def run_begun(run: Run) -> None:
    """Tell that a run was accepted."""
    tell(_of_run(EventKind.RUN_BEGUN, run, f"Run {run.pk} has begun: {run.title}"))


def run_moved(run_id: int, position: int | None) -> None:
    """Tell that a run ended, or waits for a person, in the step at `position`: of one that looks on and on, once."""
    run = Run.objects.select_related("function").get(pk=run_id)
    status = Status(run.status)
    if not is_settled(status, run.waits_for.split()):
        return
    if status.ended:
        tell(_of_run(EventKind.RUN_ENDED, run, f"Run {run.pk} {run.status}: {run.title}"))
        return
    what = "is paused" if status is Status.PAUSED else "waits for an approval"
    waits = _of_run(EventKind.RUN_WAITS, run, f"Run {run.pk} {what}: {run.title}", step=position)
    before = Event.objects.filter(run_number=run.pk).order_by("-pk").first()
    if before is None or (before.kind, before.facts) != (waits.kind, waits.facts) or status is Status.PAUSED:
        tell(waits)


def _of_run(kind: EventKind, run: Run, text: str, **facts: Any) -> Event:
    arn = run.function.arn if run.function else ""
    about = {"kind": run.kind, "status": run.status, "actor": run.actor_name, "via": run.via, "parent": run.parent_id}
    return event(kind, text, arn=arn, run=run.pk, **about, **facts)


# Reading


def number_new() -> None:
    """Number what can be seen and was not numbered. One query where there is nothing."""
    for _ in range(TRIES):
        if not Event.objects.filter(number=None).exists():
            return
        try:
            with transaction.atomic():
                _one_at_a_time()
                known = last()
                fresh = Event.objects.filter(number=None).order_by("pk").values_list("pk", flat=True)
                for number, key in enumerate(fresh[:PAGE], known + 1):
                    Event.objects.filter(pk=key, number=None).update(number=number)
        except IntegrityError:  # another numbers at the same moment: what it left is for the next time
            continue


def _one_at_a_time() -> None:
    """Wait until nobody else numbers: two could each wait for the other's row. In SQLite one writes at a time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERS])


def first() -> int:
    """The number of the oldest event that is kept; 0 where none is. One query."""
    return _numbers().order_by("number").first() or 0


def last() -> int:
    """The number of the newest event; 0 where none is. One query."""
    return _numbers().order_by("-number").first() or 0


def _numbers() -> Any:
    return Event.objects.filter(number__isnull=False).values_list("number", flat=True)


def read(after: int, limit: int, until: int) -> list[Entry]:
    """Events numbered above `after` up to `until`, oldest first, at most `limit`. One query."""
    rows = Event.objects.filter(number__gt=after, number__lte=until).order_by("number")
    columns = rows.values_list("number", "at", "kind", "text", "arn", "run_number", "facts")
    return [Entry(number or 0, *row) for number, *row in columns[:limit]]


def outlived(now: datetime) -> Any:
    """Events that are old enough to go; the newest stays, so that numbers go on."""
    return Event.objects.filter(at__lt=now - KEEP).exclude(number=last())
