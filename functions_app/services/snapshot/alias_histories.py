"""Where aliases of functions pointed to: the history ends with a function, also where another gets its name."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q, QuerySet

from functions_app.models import AliasMove


def own_moves() -> QuerySet[AliasMove]:
    """Moves of the functions that there are, without those of another that had the name before."""
    return AliasMove.objects.filter(Q(function__histories_from=None) | Q(at__gte=F("function__histories_from")))


def last_moves(function_ids: Collection[int]) -> dict[tuple[int, str], tuple[datetime, str]]:
    """By function and alias when it was moved last, and by whom ("" where not through Drydock). One query.

    Where an alias was seen at one version only, nobody knows when it was pointed there.
    """
    found: dict[tuple[int, str], tuple[datetime, str]] = {}
    seen = set[tuple[int, str]]()
    rows = own_moves().filter(function__in=function_ids).order_by("at", "id")
    for function_id, alias, at, by in rows.values_list("function_id", "alias", "at", "run__actor_name"):
        if (function_id, alias) in seen or by:
            found[function_id, alias] = at, by or ""
        seen.add((function_id, alias))
    return found
