"""The tags of each function, ready to be filtered and counted by: written with the functions' summaries."""

from collections.abc import Sequence

from functions_app.domain.fleet.tags import listed_tags
from functions_app.models import Function, FunctionTag
from functions_app.services.snapshot.derived_rows import rewrite

FACETS = ("account_id", "region", "state", "freshness", "base_name", "overdue_on")
COLUMNS = ("function_id", "name", *FACETS)


def refresh_tags(functions: Sequence[Function]) -> int:
    """Write anew what these functions are tagged with, by their rows; how many rows came or went.

    Three queries at most. A function that is gone has none.
    """
    there = [function for function in functions if function.gone_at is None]
    wanted = {
        (function.pk, name, *(getattr(function, column) for column in FACETS))
        for function in there
        for name in listed_tags(function.tags)
    }
    return rewrite(FunctionTag, COLUMNS, [function.pk for function in functions], wanted)
