"""Where the snapshot stands before all accounts and regions were read once: what is missing, why, what to do next.

Pages that would be empty say it; "not read" is not "none".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.errors import Problem
from functions_app.domain.runs import ACTIVE, SYNC_LOCK, Kind, Status
from functions_app.models import Run
from functions_app.services.inventory.fleet_status import FleetStatus, ScopeStatus

STARTS = (
    "The first sync starts by itself within a minute, for the account of the AWS credentials that the worker runs "
    "with. If it does not, no worker or no beat is running, or Redis is away."
)


class Stage(StrEnum):
    """How far the first reading came."""

    NOT_STARTED = "not started"
    WAITING = "waiting"
    READING = "reading"
    STOPPED = "stopped"
    FAILED = "failed"
    NOTHING_FOUND = "nothing found"


@dataclass(frozen=True)
class Beginning:
    """What to say instead of a list that is empty for another reason than that there is nothing."""

    stage: Stage
    title: str
    text: str
    next_step: str = ""
    run: int | None = None
    done: int = 0
    total: int = 0  # 0: nothing is counted yet
    unit: str = ""
    codes: str = ""  # AWS's code and request id
    first: bool = True  # nothing was judged before; otherwise it is about accounts and regions that came later

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself."""
        return self.stage in (Stage.NOT_STARTED, Stage.WAITING, Stage.READING)

    @property
    def read(self) -> bool:
        """Whether everything was read, so that an empty list means that there is nothing."""
        return self.stage is Stage.NOTHING_FOUND


def beginning(status: FleetStatus, functions: int) -> Beginning | None:
    """None once every account and region was read and there are functions. Two queries at most."""
    unread = [scope for scope in status.scopes if scope.synced_at is None]
    if status.scopes and not unread:
        return None if functions else NOTHING_FOUND
    columns = ("pk", "status", "problem", "progress_done", "progress_total", "progress_unit")
    syncs = Run.objects.filter(kind=Kind.SYNC, lock=SYNC_LOCK)
    last = syncs.order_by("-pk").values(*columns).first()
    if unread and all(scope.problem for scope in unread):
        return None  # each says itself why it could not be read
    if last is None:
        return _not_started(status)
    if last["status"] == Status.SUCCEEDED:
        return _not_started(status) if unread else SWITCHED_OFF
    first = not syncs.filter(status=Status.SUCCEEDED).exists()
    if last["status"] in ACTIVE:
        return _under_way(last, first=first)
    return _ended(last, "" if first else _names(unread), first=first)


NOTHING_FOUND = Beginning(
    Stage.NOTHING_FOUND,
    "No image functions",
    "All accounts and regions were read, and none holds a function of package type Image.",
    "Functions deployed as zip are not shown. Check that the regions are the right ones.",
)


SWITCHED_OFF = Beginning(
    Stage.NOTHING_FOUND,
    "No account is read",
    "Every account is switched off, or has no region.",
    "Switch one on in Settings, Accounts.",
)


def _not_started(status: FleetStatus) -> Beginning:
    new = [scope for scope in status.scopes if scope.synced_at is None]
    if len(new) < len(status.scopes):
        text = f"The next sync reads {_names(new)}."
        return Beginning(Stage.NOT_STARTED, "Not everything was read yet", text, first=False)
    return Beginning(Stage.NOT_STARTED, "Nothing was read yet", STARTS)


def _names(scopes: Sequence[ScopeStatus]) -> str:
    names = [f"{scope.account} {scope.region}" for scope in scopes]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _under_way(run: Mapping[str, Any], *, first: bool) -> Beginning:
    what = "The first sync" if first else "The reading of new accounts and regions"
    if run["status"] == Status.QUEUED:
        text = "It waits for a worker. If it goes on waiting, none is running that reads: start one."
        return Beginning(Stage.WAITING, f"{what} is about to start", text, run=run["pk"], first=first)
    done, total, unit = run["progress_done"], run["progress_total"] or 0, run["progress_unit"]
    text = f"{done} of {total} {unit} read." if total else "Looking for functions, or judging what was read."
    title = f"{what} is under way"
    return Beginning(Stage.READING, title, text, "", run["pk"], done, total, unit, first=first)


def _ended(run: Mapping[str, Any], unread: str, *, first: bool) -> Beginning:
    """`unread` names what it was to read, where other accounts and regions were read and judged before."""
    what = "The first sync" if first else "The last sync"
    if run["status"] == Status.CANCELLED or not run["problem"]:
        text = "What was read by then is shown, and nothing of it is judged yet." if first else _not_read(unread)
        next_step = "Sync again to read the rest."
        return Beginning(Stage.STOPPED, f"{what} was stopped before its end", text, next_step, run["pk"], first=first)
    problem = Problem.from_json(run["problem"])
    return Beginning(
        Stage.FAILED,
        f"{what} failed",
        problem.message if first else f"{problem.message} {_not_read(unread)}".rstrip(),
        problem.next_step,
        run["pk"],
        codes=", request ".join(part for part in (problem.aws_code, problem.request_id) if part),
        first=first,
    )


def _not_read(names: str) -> str:
    return f"Not read yet: {names}." if names else ""
