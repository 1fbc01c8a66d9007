"""The lines of a function in the list: one for each alias, or the one that stands for them all."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from functions_app.domain.changes.production import ANY
from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet.list_filter import FleetFilter, Grain


class Line(NamedTuple):
    """An alias with what it runs and how that stands; without a name what is called without an alias."""

    alias: str
    version: str
    digest: str
    freshness: str
    reason: str
    base: str
    overdue_on: date | None
    releases_behind: int
    days_behind: int
    state: str
    at: datetime | None  # since when, as far as is known
    by: str  # who moved it then, "" where not through Drydock
    kept: bool  # only as a way back
    production: bool  # carries production traffic
    drifted: bool
    unread: str
    second_version: str
    second_digest: str
    second_weight: float
    second_freshness: str


class Lines(NamedTuple):
    """What is shown of a function, and what of it is not."""

    shown: Sequence[Line]
    others: Sequence[Line]


def lines_of(row: FunctionRow, wanted: FleetFilter) -> Lines:
    """The aliases that fit the filter, those kept as a way back last; for a line per function the worst of them."""
    if not row.aliases:
        return Lines([_without_alias(row)], [])
    every = sorted((_line(chip, row) for chip in row.aliases), key=lambda line: line.kept)
    fitting = [line for line in every if _fits(line, wanted)] or every
    if wanted.rows is Grain.FUNCTIONS:
        fitting = [next((line for line in fitting if line.freshness == row.freshness and not line.kept), fitting[0])]
    return Lines(fitting, [line for line in every if line not in fitting])


def _fits(line: Line, wanted: FleetFilter) -> bool:
    """Whether a line is one of those that its function was found by: what is kept as a way back was not."""
    if wanted.alias == ANY and not line.production:
        return False
    if wanted.alias not in ("", ANY):
        return line.alias == wanted.alias
    if not (wanted.freshness or wanted.base):
        return True
    fresh = not wanted.freshness or {line.freshness, line.second_freshness} & {*wanted.freshness}
    return bool(fresh) and (not wanted.base or line.base in wanted.base) and not line.kept


def _line(chip: Mapping[str, Any], row: FunctionRow) -> Line:
    """An alias as its function's row keeps it; what that was not told of it yet is the function's."""
    get = chip.get
    judged, at = "freshness" in chip, get("at")
    late = get("overdue_on") if judged else row.overdue_on
    return Line(
        alias=chip["name"],
        version=chip["version"],
        digest=chip["digest"],
        freshness=get("freshness", row.freshness),
        reason=get("reason", "") if judged else row.freshness_reason,
        base=get("base", "") if judged else row.base_name,
        overdue_on=date.fromisoformat(late) if isinstance(late, str) and late else late or None,
        releases_behind=get("releases_behind", 0) if judged else row.releases_behind,
        days_behind=get("days_behind", 0) if judged else row.days_behind,
        state=get("state", row.state),
        at=datetime.fromisoformat(at) if at else None,
        by=get("by", ""),
        kept=get("kept", False),
        production=get("production", False),
        drifted=get("drifted", False),
        unread=get("unread", ""),
        second_version=get("second_version", ""),
        second_digest=get("second_digest", ""),
        second_weight=get("second_weight", 0.0),
        second_freshness=get("second_freshness", ""),
    )


def _without_alias(row: FunctionRow) -> Line:
    return Line(
        "", "$LATEST", row.digest, row.freshness, row.freshness_reason, row.base_name, row.overdue_on,
        row.releases_behind, row.days_behind, row.state, None, "", False, False, row.drifted, "", "", "", 0.0, "",
    )  # fmt: skip
