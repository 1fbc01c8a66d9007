"""What a run is: kinds, statuses, the legal moves between them, and what a step may answer."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

LEASE = timedelta(seconds=15)  # a worker that is silent this long has lost its run
RENEW_EVERY = timedelta(seconds=4)


class Kind(StrEnum):
    """What a run does."""

    SYNC = "sync"
    BASE_POLL = "base_poll"
    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    INVOCATION = "invocation"
    READ_FILES = "read_files"  # what the layers of images hold, from the registry
    FORECAST = "forecast"  # what lifecycle policies would delete next
    PATCH = "patch"  # functions onto a newer base release: planned only, so far

    @property
    def label(self) -> str:
        """As people call it."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    Kind.SYNC: "Sync",
    Kind.BASE_POLL: "Base poll",
    Kind.DEPLOYMENT: "Deployment",
    Kind.ROLLBACK: "Rollback",
    Kind.INVOCATION: "Invocation",
    Kind.READ_FILES: "Reading of files",
    Kind.FORECAST: "Lifecycle forecast",
    Kind.PATCH: "Patch",
}


class Queue(StrEnum):
    """Where the messages of runs wait, so that people don't wait for machines."""

    CHANGES = "changes"  # deployments and rollbacks: somebody looks at them
    READING = "reading"  # syncs, polls, files, forecasts, and what beat starts: a registry may take its time
    INVOCATIONS = "invocations"  # minutes of waiting for functions
    TICK = "tick"  # hands out what is due, and waits behind nothing


class Status(StrEnum):
    """Where a run stands.

    queued -> running <-> waiting -> succeeded | failed | cancelled
    (running and waiting -> undoing -> failed | cancelled, where a step has something to undo)
    """

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
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
LEGAL: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset({Status.WAITING, Status.UNDOING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.WAITING: frozenset({Status.RUNNING, Status.UNDOING, Status.CANCELLED, Status.FAILED}),
    Status.UNDOING: frozenset({Status.FAILED, Status.CANCELLED}),
    **{status: frozenset() for status in ENDED},
}


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
    """Look again after so many seconds; no step sleeps."""

    seconds: float
    note: str = ""


Outcome = Done | Skipped | Wait


class Log(Protocol):
    """Where work tells what it does: a run's log, or the console."""

    def info(self, text: str) -> None:
        """Tell what happened."""

    def warning(self, text: str) -> None:
        """Tell what went wrong."""
