"""How each alias stands, ready to be filtered and counted: written with the functions' summaries.

Those of a function that carry production traffic stand together too, by the name ANY.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.domain.fleet.lambda_states import readiness
from functions_app.models import AliasStanding, Function
from functions_app.services.snapshot.derived_rows import rewrite

COLUMNS = ("function_id", "account_id", "region", "alias", "state", "freshness", "base_name", "overdue_on", "runtime")


def refresh_standings(functions: Sequence[Function]) -> int:
    """Write anew how the aliases of these functions stand, by their summaries; how many rows came or went.

    Three queries at most. A function that is gone has none.
    """
    wanted = {row for function in functions if function.gone_at is None for row in _rows(function)}
    return rewrite(AliasStanding, COLUMNS, [function.pk for function in functions], wanted)


def _rows(function: Function) -> Iterator[tuple[Any, ...]]:
    carrying = [chip for chip in function.alias_chips if chip.get("production")]
    for chip in [*function.alias_chips, *([_together(carrying)] if carrying else [])]:
        day = chip.get("overdue_on", "")
        yield (
            function.pk, function.account_id, function.region, chip["name"], chip.get("state", ""), _freshness(chip),
            chip.get("base", ""), date.fromisoformat(day) if day else None, chip.get("runtime", ""),
        )  # fmt: skip


def _together(chips: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Those with production traffic as one: the base that is worst, the worst state, and the first day."""
    worst = max(chips, key=lambda chip: (Freshness(_freshness(chip)).severity, chip.get("days_behind", 0)))
    days = [day for chip in chips if (day := chip.get("overdue_on"))]
    state = max((chip.get("state", "") for chip in chips), key=readiness)
    return {**worst, "name": ANY, "state": state, "overdue_on": min(days, default="")}


def _freshness(chip: Mapping[str, Any]) -> str:
    """Of an alias that is split the worse of both."""
    found = [chip.get(name) for name in ("freshness", "second_freshness")]
    return max((Freshness(value) for value in found if value), key=lambda each: each.severity, default="")
