"""Which versions an alias could go back to: the one rule behind the offer, the plan's check and every count."""

from collections.abc import Collection, Iterable

from functions_app.domain.fleet import LATEST


def ordinal(number: str) -> float:
    """A version's place in the order of publishing; $LATEST comes after every published one."""
    return int(number) if number.isascii() and number.isdecimal() else float("inf")


def is_way_back(number: str, current: str, seen: Collection[str]) -> bool:
    """Whether going from `current` to `number` is going back, whatever became of its image.

    So it is where the alias was seen at that version before (`seen`), and where the version was published earlier: of
    a fleet that Drydock met only today nothing was seen yet, and its aliases must have a way back all the same.
    """
    if number in ("", LATEST, current):
        return False
    return number in seen or ordinal(number) < ordinal(current)


def count_ways_back(current: str, seen: Collection[str], versions: Iterable[tuple[str, bool]]) -> tuple[int, int]:
    """How many versions it could go back to, and how many earlier ones it can't; of each: number, image is there.

    A version that was seen and is deleted counts as one it can't go back to.
    """
    there = {number: available for number, available in versions if is_way_back(number, current, seen)}
    deleted = {number for number in seen if is_way_back(number, current, seen)} - there.keys()
    available = sum(there.values())
    return available, len(there) - available + len(deleted)
