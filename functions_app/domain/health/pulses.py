"""Whether workers and beat live, by how long ago each was heard of; and what stands still where one does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions_app.domain.runs import Queue

SILENT = 60.0  # seconds: a worker tells of itself every two, beat sends a tick every second
STANDS_STILL = {
    Queue.CHANGES: "deployments and rollbacks wait",
    Queue.READING: "syncs, polls and readings of files wait, so what pages show grows old",
    Queue.INVOCATIONS: "invocations wait",
    Queue.TICK: "nothing scheduled starts, and a run whose worker died is not taken over",
}


@dataclass(frozen=True)
class Trouble:
    """A part that does not work: what it is ("queue changes"), a sentence, and what to do."""

    what: str
    sentence: str
    next_step: str


@dataclass(frozen=True)
class Pulses:
    """Seconds since a worker of each queue was heard of, since one took a message, since a tick was carried out.

    What is missing was never heard of. `redis_away`: for how long nobody can be heard of at all, None while it answers.
    """

    looked: Mapping[Queue, float] = field(default_factory=dict)
    took: Mapping[Queue, float] = field(default_factory=dict)
    ticked: float | None = None
    redis_away: float | None = None


def troubles(known: Pulses) -> tuple[Trouble, ...]:
    """What people should know of; nothing is concluded from a silence that Redis explains."""
    if known.redis_away is not None:
        return (_redis(known.redis_away),) if known.redis_away > SILENT else ()
    dead = [queue for queue in Queue if _silent(known.looked.get(queue))]
    found = [_queue(queue, known.looked.get(queue)) for queue in dead]
    if Queue.TICK not in dead and _silent(known.ticked):
        found.append(_tick(known))
    return tuple(found)


def lines(known: Pulses) -> list[str]:
    """The same as `/healthz` tells it, a line each; the troubles last."""
    told = [f"degraded: {one.sentence}" for one in troubles(known)]
    if known.redis_away is not None:
        return told
    workers = [f"worker {queue} {_ago(known.looked.get(queue))}" for queue in Queue]
    return [f"tick {_ago(known.ticked)}", *workers, *told]


def _silent(age: float | None) -> bool:
    return age is None or age > SILENT


def _queue(queue: Queue, age: float | None) -> Trouble:
    return Trouble(
        f"queue {queue}",
        f"No worker has looked at queue {queue} {_for(age)}: {STANDS_STILL[queue]}.",
        f"Start it (python manage.py worker {queue}). What it wrote last tells why it ended.",
    )


def _tick(known: Pulses) -> Trouble:
    stands = STANDS_STILL[Queue.TICK]
    if _silent(known.took.get(Queue.TICK)):
        return Trouble(
            "beat",
            f"No tick has come from beat {_for(known.ticked)}: {stands}.",
            "Start beat as the Procfile does. Where it runs, compare the clocks of its host and the worker's.",
        )
    return Trouble(
        "tick",
        f"No tick was carried out {_for(known.ticked)}: {stands}.",
        "Ticks arrive and fail. The log of the worker of queue tick tells why.",
    )


def _redis(seconds: float) -> Trouble:
    return Trouble(
        "redis",
        f"Redis has been away for {span(seconds)}: runs start late or not at all, and live pages lag.",
        "Bring it back; nothing that was asked for is lost.",
    )


def _for(age: float | None) -> str:
    return f"for {span(age)}" if age is not None else "yet"


def _ago(age: float | None) -> str:
    return f"{age:.0f} s ago" if age is not None else "never"


def span(seconds: float) -> str:
    """ "40 s", "3 minutes", "5 hours", "3 days"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours" if seconds < 2 * 86_400 else f"{seconds / 86_400:,.0f} days"
