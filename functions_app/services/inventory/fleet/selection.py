"""A selection as its page shows it: exactly what was frozen, and what can be done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from functions_app.domain.fleet.selections import COPIED, Chosen, patchable
from functions_app.models import BaseStream, Function, Selection
from functions_app.services.inventory.fleet.function_list import PAGE_SIZE, FunctionRow, rows_of

TOGETHER = 500  # keys that go into one query


@dataclass(frozen=True)
class Patches:
    """A base, and how many of the functions can be planned onto its newer release."""

    stream: int
    base: str
    functions: tuple[int, ...]


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
    gone: int
    page: int
    pages: int
    patches: tuple[Patches, ...]
    others: tuple[tuple[str, int], ...]
    copied: Copied


def selection_page(selection: Selection, page: int) -> SelectionPage:
    """Read one page of it, and add up the whole in a query for each `TOGETHER` functions and three more."""
    keys: list[int] = selection.functions
    chosen = [one for some in _together(keys) for one in _chosen(some)]
    pages = max(1, -(-len(keys) // PAGE_SIZE))
    page = min(max(1, page), pages)
    bases, others = patchable(chosen)
    streams = dict(BaseStream.objects.filter(name__in=[each.base for each in bases]).values_list("name", "pk"))
    return SelectionPage(
        rows=rows_of(keys[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        total=len(keys),
        gone=sum(one.gone for one in chosen),
        page=page,
        pages=pages,
        patches=tuple(Patches(streams[each.base], each.base, each.functions) for each in bases if each.base in streams),
        others=tuple(others.items()),
        copied=_copied(keys[:COPIED]),
    )


def patched_on(selection: Selection, stream: BaseStream) -> tuple[int, ...]:
    """Those of the functions that can be planned onto the newer release of this base."""
    chosen = [one for some in _together(selection.functions) for one in _chosen(some)]
    return next((each.functions for each in patchable(chosen)[0] if each.base == stream.name), ())


def within(keys: Sequence[int], reach: Q) -> list[int]:
    """Those of the functions that are there and within reach, in their order."""
    there = Function.objects.filter(reach, gone_at=None)
    known = {pk for some in _together(keys) for pk in there.filter(pk__in=some).values_list("pk", flat=True)}
    return [key for key in dict.fromkeys(keys) if key in known]


def _together(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), TOGETHER):
        yield keys[start : start + TOGETHER]


def _chosen(keys: Sequence[int]) -> list[Chosen]:
    rows = Function.objects.filter(pk__in=keys).values_list("pk", "base_name", "freshness", "gone_at")
    return [Chosen(pk, base, freshness, gone_at is not None) for pk, base, freshness, gone_at in rows]


def _copied(keys: Sequence[int]) -> Copied:
    rows = {row[0]: row[1:] for row in Function.objects.filter(pk__in=keys).values_list("pk", "name", "arn", "digest")}
    found = [rows[key] for key in keys if key in rows]
    columns = [[row[at] for row in found] for at in range(3)]
    return Copied(*("\n".join(filter(None, dict.fromkeys(column))) for column in columns))
