"""What can be done with functions that somebody chose, and with how many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from functions_app.domain.bases.freshness import Freshness

MOST = 10_000  # functions of a selection
READ_AT_ONCE = 200  # functions that one run reads anew: each takes some ten calls of AWS
COPIED = 1_000  # lines that a button copies
LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Chosen:
    """A function of a selection, as far as it says what can be done with it."""

    pk: int
    base: str
    freshness: str
    gone: bool


@dataclass(frozen=True)
class Patchable:
    """Functions that can be planned onto the newer release of their base, together; their keys."""

    base: str
    functions: tuple[int, ...]


def patchable(chosen: Sequence[Chosen]) -> tuple[tuple[Patchable, ...], dict[str, int]]:
    """The bases with what is behind on each, most first; and of the others why not, with how many."""
    behind: dict[str, list[int]] = {}
    others: dict[str, int] = {}
    for one in chosen:
        if why := _why_not(one):
            others[why] = others.get(why, 0) + 1
        else:
            behind.setdefault(one.base, []).append(one.pk)
    found = [Patchable(base, tuple(keys)) for base, keys in behind.items()]
    return tuple(sorted(found, key=lambda each: (-len(each.functions), each.base))), others


def _why_not(one: Chosen) -> str:
    if one.gone:
        return "deleted since"
    if not one.base:
        return "on no base that Drydock knows"
    if one.freshness == Freshness.CURRENT:
        return "on the current release already"
    return ""


def too_many(count: int, most: int, what: str) -> str:
    """Why something is not offered for so many; "" where it is."""
    return f"{what} takes {most:,} functions at a time, and these are {count:,}." if count > most else ""
