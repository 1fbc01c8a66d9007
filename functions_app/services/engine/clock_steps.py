"""A clock that steps, for somebody sets it or the machine slept: leases and due times are moments, and it moves them.

Put forward, every lease has run out while its worker lives; put back, a dead worker's lasts for hours, and what sleeps
for two seconds sleeps till the clock has caught up. Steps of time alone show it: clocks against `time.monotonic`.
"""

import logging
from time import monotonic

from django.db import transaction
from django.db.models import QuerySet

from functions_app import clock
from functions_app.domain.runs import ACTIVE, ASLEEP, LEASE, RENEW_EVERY
from functions_app.models import Run
from functions_app.services.engine.leases import database_now, database_time

STEP = RENEW_EVERY.total_seconds()  # seconds: less takes no lease from a worker that renews it
SLOW = 1.0  # seconds: a look that takes longer tells nothing

log = logging.getLogger(__name__)
_last: tuple[float, ...] | None = None  # the clocks against `time.monotonic`, as this process saw them last


def look() -> float:
    """Set right what a clock has moved by a step since this process looked last; by how many seconds, 0 for none."""
    global _last
    began = monotonic()
    clocks = (clock.now(), database_now())
    if monotonic() - began > SLOW:
        return 0.0
    seen = tuple(at.timestamp() - began for at in clocks)
    before, _last = _last or seen, seen
    step = max((now - then for now, then in zip(seen, before, strict=True)), key=abs)
    if abs(step) <= STEP:
        return 0.0
    log.warning("A clock was put %s by %.0f s: leases count anew.", "forward" if step > 0 else "back", abs(step))
    _set_right(Run.objects.filter(status__in=ACTIVE, lease_until__isnull=False))
    return step


def look_after_absence() -> None:
    """The same for a process that starts: what was stored before may lie ahead; no lease has run out for nothing."""
    _set_right(Run.objects.filter(lease_until__gt=database_time(2 * LEASE)))


@transaction.atomic
def _set_right(held: QuerySet[Run]) -> None:
    """These leases count from now: a living worker renews its own, a dead one's runs out soon. What sleeps is woken,
    which does no harm at any time, and what a worker was told in the future is told again.
    """
    now, active = clock.now(), Run.objects.filter(status__in=ACTIVE)
    held.exclude(lease_owner="").update(lease_until=database_time(LEASE))
    active.filter(lease_owner="", lease_until__gt=database_time()).update(lease_until=database_time())
    active.filter(status__in=ASLEEP, wake_at__gt=now).update(wake_at=now)
    active.filter(handed_out_at__gt=now).update(handed_out_at=None)
