"""Which versions an alias could go back to: the one rule behind the offer, the plan's check and every count."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST


def ordinal(number: str) -> float:
    """A version's place in the order of publishing; $LATEST comes after every published one."""
    return int(number) if number.isascii() and number.isdecimal() else float("inf")


def is_way_back(number: str, current: str, seen: Collection[str]) -> bool:
    """Whether going from `current` to `number` is going back, whatever became of its image.

    So it is where the alias was seen at that version before (`seen`), and where the version was published earlier: of
    a fleet that Drydock met only today nothing was seen yet, and its aliases must have a way back all the same.
    """
    if number in ("", LATEST, PUBLISHED_LATEST, current):
        return False
    return number in seen or ordinal(number) < ordinal(current)


@dataclass(frozen=True)
class WaysBack:
    """How many versions an alias could go back to: `available` now, `lost`, `unread` where nobody can tell.

    Lost is what was deleted, and what is archived until somebody restores it.
    """

    available: int
    lost: int
    unread: int


def count_ways_back(current: str, seen: Collection[str], versions: Iterable[tuple[str, bool | None]]) -> WaysBack:
    """Count the ways back among versions; of each: its number, whether its image is there, None where it is not known.

    A version that was seen and is deleted counts as lost.
    """
    found = {number: there for number, there in versions if is_way_back(number, current, seen)}
    states = Counter(found.values())
    deleted = {number for number in seen if is_way_back(number, current, seen)} - found.keys()
    return WaysBack(states[True], states[False] + len(deleted), states[None])
