"""What can be done with functions that somebody chose, and with how many of them at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

MOST = 10_000  # functions of a selection
READ_AT_ONCE = 200  # functions that one run reads anew: each takes some ten calls of AWS
COPIED = 1_000  # lines that a button copies
LIFE = timedelta(days=1)
KEPT = 100  # of one person at a time, the newest: each may be 60 kB, and a bot makes many in a day


@dataclass(frozen=True)
class Chosen:
    """A function of a selection: the bases that what is live of it stands on, and those of them it is behind on."""

    bases: frozenset[str]
    behind: frozenset[str]
    gone: bool


@dataclass(frozen=True)
class Patchable:
    """So many functions can be planned onto the newer release of this base, together."""

    base: str
    functions: int


def patchable(chosen: Sequence[Chosen]) -> tuple[tuple[Patchable, ...], dict[str, int]]:
    """The bases with what is behind on each, most first; and of the others why not, with how many."""
    others = Counter(why for one in chosen if (why := _why_not(one)))
    behind = Counter(base for one in chosen if not one.gone for base in one.behind)
    found = [Patchable(base, functions) for base, functions in behind.items()]
    return tuple(sorted(found, key=lambda each: (-each.functions, each.base))), dict(others)


def _why_not(one: Chosen) -> str:
    if one.gone:
        return "deleted since"
    if not one.bases:
        return "on no base that Drydock knows"
    return "" if one.behind else "on the current release already"


def too_many(count: int, most: int, what: str) -> str:
    """Why something is not offered for so many; "" where it is."""
    return f"{what} takes {most:,} functions at a time, and these are {count:,}." if count > most else ""
