"""How each alias stands, ready to be filtered and counted: written with the functions' summaries."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from functions_app.domain.bases.freshness import Freshness
from functions_app.models import AliasStanding, Function

COLUMNS = ("function_id", "account_id", "region", "alias", "state", "freshness", "base_name", "overdue_on")


def refresh_standings(functions: Sequence[Function]) -> int:
    """Write anew how the aliases of these functions stand, by their summaries; how many rows came or went.

    Three queries at most. A function that is gone has none.
    """
    wanted = {row for function in functions if function.gone_at is None for row in _rows(function)}
    keys = [function.pk for function in functions]
    stored = {row[:-1]: row[-1] for row in AliasStanding.objects.filter(function__in=keys).values_list(*COLUMNS, "pk")}
    gone = [pk for row, pk in stored.items() if row not in wanted]
    if gone:
        AliasStanding.objects.filter(pk__in=gone).delete()
    new = [AliasStanding(**dict(zip(COLUMNS, row, strict=True))) for row in wanted if row not in stored]
    if new:
        AliasStanding.objects.bulk_create(new, batch_size=1000)
    return len(gone) + len(new)


def _rows(function: Function) -> Iterator[tuple[Any, ...]]:
    for chip in function.alias_chips:
        day = chip.get("overdue_on", "")
        yield (
            function.pk, function.account_id, function.region, chip["name"], chip.get("state", ""), _freshness(chip),
            chip.get("base", ""), date.fromisoformat(day) if day else None,
        )  # fmt: skip


def _freshness(chip: Mapping[str, Any]) -> str:
    """Of an alias that is split the worse of both."""
    found = [chip.get(name) for name in ("freshness", "second_freshness")]
    return max((Freshness(value) for value in found if value), key=lambda each: each.severity, default="")
