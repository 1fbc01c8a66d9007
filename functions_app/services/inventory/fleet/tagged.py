"""Rows of functions that have some tags: all of them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from functions_app.models import FunctionTag

DEEPEST = 3  # questions within one another: at six SQLite's parser has no place left


def tagged(
    rows: QuerySet[Any], tags: Sequence[str], function: str = "pk", *, on_the_way: bool = False
) -> QuerySet[Any]:
    """Those rows whose function has all of these tags; `function` leads to it.

    `on_the_way`: each row is asked when its order comes to it, which is soon over where many are found.
    """
    if on_the_way:
        for tag in tags:
            rows = rows.filter(Exists(FunctionTag.objects.filter(name=tag, function=OuterRef(function))))
    elif len(tags) > DEEPEST:
        some = FunctionTag.objects.filter(name__in=tags).values("function").annotate(has=Count("name", distinct=True))
        rows = rows.filter(**{f"{function}__in": some.filter(has=len(tags)).values("function")})
    elif tags:
        # One within the other: side by side PostgreSQL takes each for rare, and asks one for each row of the other.
        named = tagged(FunctionTag.objects.filter(name=tags[0]), tags[1:], "function")
        rows = rows.filter(**{f"{function}__in": named.values("function")})
    return rows
