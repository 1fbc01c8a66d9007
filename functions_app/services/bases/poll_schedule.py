"""Ask for polls of the base streams: when each is due, at once for some, after a change for one.

When a stream is next polled stands in its row. It is set before the stream is read, so that whoever asks meanwhile
makes it due again, whatever that reading finds.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind
from functions_app.models import BaseStream, Run
from functions_app.services.engine import runs
from functions_app.services.people.actor import SCHEDULE, Actor

JITTER = 0.15  # of the time between two polls, more or less, and always the same for one stream
AHEAD = 0.1  # of that time: a poll takes along what would be due so soon, rather than a run for each stream
SOONEST = timedelta(minutes=1)  # after which a stream is read again that nobody answered for
PATIENCE = 6  # from the second time on: so much longer than until the next try it was not read by then
MARGIN = timedelta(hours=1)  # by which the clocks of two hosts may differ
LOCK = "base_poll"


def next_poll(stream: BaseStream, now: datetime) -> datetime:
    """When a stream is to be read again: each has a time of its own, so that a registry is not asked all at once."""
    share = int.from_bytes(hashlib.sha256(stream.reference.encode()).digest()[:4], "big") / 2**32
    return now + timedelta(seconds=settings.ENV.base_poll_every * (1 - JITTER + 2 * JITTER * share))


def try_again(stream: BaseStream, now: datetime) -> None:
    """Have a stream that nobody answered for read again sooner than usual: in a minute, and ever later as it lasts.

    What was asked for meanwhile stays asked for.
    """
    every = timedelta(seconds=settings.ENV.base_poll_every)
    lasts = now - stream.polled_at if stream.polled_at else every
    soon = now + (SOONEST if stream.problem is None else max(SOONEST, lasts / PATIENCE))
    BaseStream.objects.filter(pk=stream.pk, next_poll_at__gt=soon).update(next_poll_at=soon)


def due_streams(now: datetime) -> list[int]:
    """The streams to be read now: none until one is due, then also those that soon would be.

    Due is also what would wait longer than any poll makes it: polls are wanted more often now, or a clock was wrong.
    """
    enabled = BaseStream.objects.filter(enabled=True)
    every = timedelta(seconds=settings.ENV.base_poll_every)
    asked = Q(next_poll_at=None) | Q(next_poll_at__gt=now + every * (1 + JITTER) + MARGIN)
    if not enabled.filter(asked | Q(next_poll_at__lte=now)).exists():
        return []
    return list(enabled.filter(asked | Q(next_poll_at__lte=now + every * AHEAD)).values_list("pk", flat=True))


def judging_begins(now: datetime) -> None:
    """What was switched off until now is judged by now: nothing more is to be asked for it."""
    BaseStream.objects.filter(enabled=False, next_poll_at=None).update(next_poll_at=now)


def make_due(streams: Collection[int]) -> int:
    """Have these read at the next look, even where a poll is reading them at this moment; how many."""
    return BaseStream.objects.filter(pk__in=streams).update(next_poll_at=None)


def submit_poll(actor: Actor, streams: Collection[int] | None = None) -> Run:
    """Start a poll of these base streams (None: all); images are judged anew after it in any case.

    Raises BUSY when one is under way; the streams named are then read as soon as it has ended.
    """
    if streams is None:
        return runs.submit(Kind.BASE_POLL, title="Poll base streams", plan={}, actor=actor, lock=LOCK)
    make_due(streams)
    names = list(BaseStream.objects.filter(pk__in=streams).order_by("name").values_list("name", flat=True)[:2])
    title = f"Poll {names[0]}" if len(names) == 1 else f"Poll {len(streams)} base streams"
    return runs.submit(Kind.BASE_POLL, title=title, plan={"streams": sorted(streams)}, actor=actor, lock=LOCK)


def again(plan: dict[str, Any], actor: Actor) -> Run:
    """The same once more: of the streams that were named, else of all. Raises BUSY."""
    return submit_poll(actor, plan.get("streams"))


def submit_due(now: datetime) -> Run | None:
    """Start the poll of what is due; None where nothing is. Raises BUSY when one is under way."""
    # A stream that was switched off during a poll is not read, but whatever stands on it is to be judged.
    switched_off = BaseStream.objects.filter(enabled=False, next_poll_at=None)
    if not due_streams(now) and not switched_off.exists() and BaseStream.objects.exists():
        return None
    return runs.submit(Kind.BASE_POLL, title="Poll base streams", plan={"due": True}, actor=SCHEDULE, lock=LOCK)


def ask(actor: Actor, stream: int) -> None:
    """After a change of a stream: read it and judge all images anew, now or when the poll under way has ended."""
    try:
        submit_poll(actor, [stream])
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
