"""What a run is: kinds, statuses, the legal moves between them, and what a step may answer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Protocol

LEASE = timedelta(seconds=14)  # a worker silent this long has lost its run; with a tick and a message, under 16 s
RENEW_EVERY = timedelta(seconds=4)
SYNC_LOCK = "sync"  # of a sync of accounts and regions, one at a time; those of single repositories have their own


class Kind(StrEnum):
    """What a run does."""

    SYNC = "sync"
    BASE_POLL = "base_poll"
    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    INVOCATION = "invocation"
    READ_FILES = "read_files"  # what the layers of images hold, from the registry
    FORECAST = "forecast"  # what lifecycle policies would delete next
    PATCH = "patch"  # a function onto the current release of its base
    UNDO = "undo"  # of a patch
    PATCH_LIST = "patch_list"  # which functions are to be patched: a plan that becomes no run

    @property
    def label(self) -> str:
        """As people call it."""
        return _KIND_LABELS[self]


def kind_label(name: str) -> str:
    """A kind as people call it, by its stored name, which an upgrade may have taken away."""
    return _KIND_LABELS.get(name, name)


_KIND_LABELS: Mapping[str, str] = {
    Kind.SYNC: "Sync",
    Kind.BASE_POLL: "Base poll",
    Kind.DEPLOYMENT: "Deployment",
    Kind.ROLLBACK: "Rollback",
    Kind.INVOCATION: "Invocation",
    Kind.READ_FILES: "Reading of files",
    Kind.FORECAST: "Lifecycle forecast",
    Kind.PATCH: "Patch",
    Kind.UNDO: "Undo",
    Kind.PATCH_LIST: "List of patches",
}


class Queue(StrEnum):
    """Where the messages of runs wait, so that people don't wait for machines."""

    CHANGES = "changes"  # deployments and rollbacks: somebody looks at them
    READING = "reading"  # syncs, polls, files, forecasts, and what beat starts: a registry may take its time
    INVOCATIONS = "invocations"  # minutes of waiting for functions
    TICK = "tick"  # hands out what is due, and waits behind nothing


class Priority(IntEnum):
    """Whose messages a worker takes first; the numbers are Celery's on Redis, where 0 is the most urgent."""

    URGENT = 0  # what a worker left behind, and what somebody asked of a run under way
    PERSON = 3
    SCHEDULE = 6
    CHILD = 9  # one of many that another run keeps alive


class SignalKind(StrEnum):
    """What somebody may ask of a run under way."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    PROMOTE = "promote"  # go on now, without waiting for the time that was planned
    SKIP = "skip"


class Status(StrEnum):
    """Where a run stands.

    queued -> running <-> waiting | paused -> succeeded | failed | cancelled
    (running and waiting -> undoing -> failed | cancelled, where a step has something to undo)
    """

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen in this run."""
        return self in ENDED


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
ACTIVE = frozenset(set(Status) - ENDED)
ASLEEP = (Status.QUEUED, Status.WAITING, Status.PAUSED)
LEGAL: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.WAITING, Status.PAUSED, Status.UNDOING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}
    ),
    Status.WAITING: frozenset({Status.RUNNING, Status.UNDOING, Status.CANCELLED, Status.FAILED}),
    Status.PAUSED: frozenset({Status.RUNNING}),
    Status.UNDOING: frozenset({Status.FAILED, Status.CANCELLED}),
    **{status: frozenset() for status in ENDED},
}


def is_settled(status: Status, waits_for: Collection[str]) -> bool:
    """Whether it goes on no more until a person says so: it has ended, is paused, or waits for an approval."""
    return status.ended or status is Status.PAUSED or (status is Status.WAITING and SignalKind.APPROVE in waits_for)


class StepStatus(StrEnum):
    """Where one step of a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True)
class Done:
    """The step is finished; the note is shown beside it ("version 8")."""

    note: str = ""


@dataclass(frozen=True)
class Skipped:
    """There was nothing to do; the note says why."""

    note: str = ""


@dataclass(frozen=True)
class Wait:
    """Look again after so many seconds, or once one of the signals came, whichever is first; no step sleeps.

    With neither a step would sleep for ever, so that its limit is the end of it.
    """

    seconds: float | None = None
    note: str = ""
    until: tuple[SignalKind, ...] = ()


Outcome = Done | Skipped | Wait


ANY_TIME = (SignalKind.CANCEL, SignalKind.PAUSE, SignalKind.RESUME)  # the others only while a step waits for them


@dataclass(frozen=True)
class Standing:
    """What is asked of a run: to end, to stand still; by whom; and the key of the `last` signal, of any kind."""

    cancelled: bool = False
    paused: bool = False
    by: str = ""
    last: int = 0

    @classmethod
    def of(cls, given: Iterable[tuple[int, str, str]]) -> "Standing":
        """From all signals of a run in their order, each with its key, its kind and who gave it."""
        cancelled, paused, by, last = False, False, "", 0
        for key, kind, name in given:
            last = key
            paused = kind == SignalKind.PAUSE or (paused and kind != SignalKind.RESUME)
            if kind in ANY_TIME and not cancelled:
                cancelled, by = kind == SignalKind.CANCEL, name
        return cls(cancelled, paused, by, last)


class Log(Protocol):
    """Where work tells what it does: a run's log, or the console."""

    def info(self, text: str) -> None:
        """Tell what happened."""

    def warning(self, text: str) -> None:
        """Tell what went wrong."""
