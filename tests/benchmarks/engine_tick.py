"""The tick and 1,501 due runs: what workers left, what people started, and what is the schedule's."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import redis
from django.conf import settings

from functions_app import clock
from functions_app.domain.runs import Kind, Priority, Queue, Status
from functions_app.models import Run
from functions_app.services.engine import hand_out
from functions_app.services.people.actor import SCHEDULE
from tests.benchmarks.figures import mark, percentile, table

EVERY = 1.0  # seconds, as beat does
QUIET = 3  # ticks after the last that told anything: would one be told twice?
LIMIT_SECONDS = 60.0
PATIENCE = 2 * LIMIT_SECONDS  # one that is too slow tells anew what it told a minute ago, and is never quiet
DUE = {Priority.URGENT: 100, Priority.PERSON: 400, Priority.SCHEDULE: 1001}  # in the order they are to be told
NAMES = {Priority.URGENT: "left by a worker", Priority.PERSON: "started by people", Priority.SCHEDULE: "the schedule's"}
KINDS = (Kind.DEPLOYMENT, Kind.READ_FILES, Kind.INVOCATION)  # one for each queue


@dataclass(frozen=True)
class Tick:
    """When it began, in seconds from the first, how long it took, and which runs it told, with what priority."""

    began: float
    took: float
    told: list[tuple[Priority, int]]

    @property
    def ended(self) -> float:
        """Seconds from the first tick's beginning."""
        return self.began + self.took


def measure() -> None:
    """Fill, tick once a second until all is quiet, print, and leave nothing behind."""
    due = _fill()
    with redis.Redis.from_url(settings.ENV.redis_url) as client:
        ticks = list(_ticks(client))
        client.flushall()
    Run.objects.all().delete()
    busy, idle = [tick for tick in ticks if tick.told], [tick.took * 1000 for tick in ticks if not tick.told]
    told = [run for tick in busy for _, run in tick.told]
    twice, never = len(told) - len(set(told)), len(due) - len(set(told))
    seconds = busy[-1].ended
    once = f"{twice or 'none'} twice{mark(not twice)}"
    order = "the urgent first" if _in_order(busy, due) else f"not the urgent first{mark(False)}"
    print(
        f"{len(due):,} runs are due at once, nobody told of them; one tick a second, at most {hand_out.HAND_OUTS} runs "
        f"each. {f'{never} were never told' if never else 'Each is told'} to a worker within {seconds:.1f} s, in "
        f"{len(busy)} ticks (promised: {LIMIT_SECONDS:.0f} s{mark(seconds < LIMIT_SECONDS and not never)}), {once}, "
        f"{order}. A tick takes {percentile((tick.took for tick in busy), 0.5) * 1000:.0f} ms, at worst "
        f"{max(tick.took for tick in busy) * 1000:.0f}; one that finds nothing "
        f"{f'{percentile(idle, 0.5):.0f}' if idle else 'was not seen'}.\n"
    )
    lines = []
    for priority, number in DUE.items():
        turns = [turn for turn, tick in enumerate(busy) if any(due[run] is priority for _, run in tick.told)]
        last = f"{busy[turns[-1]].ended:.1f}"
        lines.append([NAMES[priority], f"{number:,}", f"{turns[0] + 1} to {turns[-1] + 1}", last])
    print(table(["runs", "due", "in ticks", "all told after s"], lines), "\n")


def _in_order(ticks: Sequence[Tick], due: Mapping[int, Priority]) -> bool:
    """Whether each message has its run's priority, and no tick told what is less urgent than what a later one did."""
    right = all(due[run] is priority for tick in ticks for priority, run in tick.told)
    by_tick = [[due[run] for _, run in tick.told] for tick in ticks]
    return right and all(max(before) <= min(after) for before, after in pairwise(by_tick))


def _fill() -> dict[int, Priority]:
    """Runs that are due and were not told of it, the least urgent stored first; gives how urgent each is."""
    now = clock.now()
    before = now - timedelta(minutes=2)
    facts: dict[Priority, dict[str, Any]] = {
        Priority.URGENT: {
            "status": Status.RUNNING,
            "actor_name": "olga",
            "lease_owner": "vanished",
            "lease_until": now,
            "handed_out_at": before,
        },
        Priority.PERSON: {"actor_name": "olga", "wake_at": now},
        Priority.SCHEDULE: {
            "actor_name": SCHEDULE.name,
            "via": SCHEDULE.via,
            "priority": Priority.SCHEDULE,
            "wake_at": now,
        },
    }
    due: dict[int, Priority] = {}
    for priority, number in reversed(DUE.items()):
        common = {"status": Status.WAITING, "title": "Due", "created_at": before, "started_at": before}
        made = Run.objects.bulk_create(
            Run(kind=KINDS[at % len(KINDS)], **common | facts[priority]) for at in range(number)
        )
        due |= {run.pk: priority for run in made}
    return due


def _ticks(client: redis.Redis) -> Iterator[Tick]:
    """Tick once a second, or at once where a tick took longer, until nothing was told for a while.

    What is told stays in its queue, as it does while every worker is busy.
    """
    start = time.monotonic()
    quiet = 0
    while quiet < QUIET and time.monotonic() - start < PATIENCE:
        lengths = {name: client.llen(name) for name in _lists()}
        began = time.monotonic()
        hand_out.hand_out_due()
        took = time.monotonic() - began
        told = [
            (priority, run)
            for name, priority in _lists().items()
            for run in _newest(client, name, client.llen(name) - lengths[name])
        ]
        yield Tick(began - start, took, told)
        quiet = 0 if told else quiet + 1
        time.sleep(max(0.0, EVERY - took))


def _lists() -> dict[str, Priority]:
    """Celery's lists of messages in Redis, one for each queue and priority."""
    separator = settings.CELERY_BROKER_TRANSPORT_OPTIONS["sep"]
    return {
        f"{queue}{separator}{priority}" if priority else queue.value: priority
        for queue in Queue
        for priority in Priority
    }


def _newest(client: redis.Redis, name: str, count: int) -> list[int]:
    """The runs that the last so many messages of a list name."""
    messages = client.lrange(name, 0, count - 1) if count else []
    return [int(json.loads(json.loads(message)["headers"]["argsrepr"])[0]) for message in messages]
