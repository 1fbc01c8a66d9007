"""A selection as its page shows it: exactly what was frozen, and what can be done with it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from functions_app.domain.fleet.selections import COPIED, Chosen, Patchable, patchable
from functions_app.models import BaseUse, Function, Selection
from functions_app.services.inventory.fleet.function_list import PAGE_SIZE, FunctionRow, rows_of

TOGETHER = 500  # keys that go into one query


@dataclass(frozen=True)
class Copied:
    """What is copied of the first `COPIED` functions, a line each."""

    names: str
    arns: str
    digests: str


@dataclass(frozen=True)
class SelectionPage:
    """A page of the functions; of all of them the bases they can be patched on, and of the others why not."""

    rows: tuple[FunctionRow, ...]
    total: int
    gone: frozenset[int]
    page: int
    pages: int
    patches: tuple[tuple[int, Patchable], ...]  # with the stream's key
    others: tuple[tuple[str, int], ...]
    copied: Copied


def selection_page(selection: Selection, page: int) -> SelectionPage:
    """Read one page of it, and add up the whole in two queries for each `TOGETHER` functions and two more."""
    keys: list[int] = selection.functions
    chosen: dict[int, Chosen] = {}
    streams: dict[str, int] = {}
    for some in _together(keys):
        chosen |= _chosen(some, streams)
    pages = max(1, -(-len(keys) // PAGE_SIZE))
    page = min(max(1, page), pages)
    bases, others = patchable([*chosen.values()])
    return SelectionPage(
        rows=rows_of(keys[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        total=len(keys),
        gone=frozenset(pk for pk, one in chosen.items() if one.gone),
        page=page,
        pages=pages,
        patches=tuple((streams[each.base], each) for each in bases),
        others=tuple(others.items()),
        copied=_copied(keys[:COPIED]),
    )


def there(keys: Sequence[int], reach: Q | None = None) -> list[int]:
    """Those of the functions that AWS has, and that are within reach, in their order."""
    return within(keys, (reach or Q()) & Q(gone_at=None))


def within(keys: Sequence[int], wanted: Q) -> list[int]:
    """Those of the functions that are so, each once and in their order."""
    rows = Function.objects.filter(wanted)
    known = {pk for some in _together(keys) for pk in rows.filter(pk__in=some).values_list("pk", flat=True)}
    return [key for key in dict.fromkeys(keys) if key in known]


def _together(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), TOGETHER):
        yield keys[start : start + TOGETHER]


def _chosen(keys: Sequence[int], streams: dict[str, int]) -> dict[int, Chosen]:
    """What can be done with each; `streams` gets to know their bases. Behind is what a list of patches would plan."""
    bases: dict[int, set[str]] = defaultdict(set)
    behind: dict[int, set[str]] = defaultdict(set)
    uses = BaseUse.objects.filter(function__in=keys).order_by()
    for pk, stream, base, current in uses.values_list("function", "stream", "stream__name", "release__current"):
        streams[base] = stream
        bases[pk].add(base)
        if not current:  # None: on a release that nobody knows
            behind[pk].add(base)
    rows = Function.objects.filter(pk__in=keys).values_list("pk", "gone_at")
    return {pk: Chosen(frozenset(bases[pk]), frozenset(behind[pk]), gone_at is not None) for pk, gone_at in rows}


def _copied(keys: Sequence[int]) -> Copied:
    rows = {row[0]: row[1:] for row in Function.objects.filter(pk__in=keys).values_list("pk", "name", "arn", "digest")}
    found = [rows[key] for key in keys if key in rows]
    columns = [[row[at] for row in found] for at in range(3)]
    return Copied(*("\n".join(filter(None, dict.fromkeys(column))) for column in columns))
