"""Rows that stand ready for functions, written anew with their summaries: only what differs is touched."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Model

Row = tuple[Any, ...]


def rewrite(model: type[Model], columns: Sequence[str], function_ids: Collection[int], wanted: Collection[Row]) -> int:
    """Have exactly the `wanted` rows of these functions in a table; how many came or went. Three queries at most."""
    rows = model._default_manager.filter(function__in=function_ids).values_list(*columns, "pk")
    stored, gone = set[Row](), list[int]()
    for *row, pk in rows:
        if (key := tuple(row)) in stored or key not in wanted:
            gone.append(pk)
        stored.add(key)
    if gone:
        model._default_manager.filter(pk__in=gone).delete()
    new = [model(**dict(zip(columns, row, strict=True))) for row in wanted if row not in stored]
    if new:
        model._default_manager.bulk_create(new, batch_size=1000)
    return len(gone) + len(new)
