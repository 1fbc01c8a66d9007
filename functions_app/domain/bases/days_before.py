"""Days before the first one that was counted, worked out from what is known of them: when versions were published, and
when the releases came that their bases are behind.

Aliases tell nothing of that time: their history begins when they were first read. A version is taken to have been what
calls reached from the day it was published until the next one was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Published:
    """A version up to the one that calls reach now: its day, its base, and from which day that was stale or over."""

    on: date
    base: str
    stale_from: date | None = None


@dataclass(frozen=True)
class Lived:
    """A function: its versions up to what is live now, the oldest first; from which day that is overdue."""

    account: int
    versions: Sequence[Published]
    overdue_from: date | None = None


@dataclass(frozen=True)
class Stood:
    """How many of an account's functions stood on a base on a day; `overdue` are among the stale."""

    day: date
    account: int
    base: str
    current: int
    stale: int
    overdue: int


def days_before(first: date, days: int, functions: Iterable[Lived]) -> list[Stood]:
    """The last `days` before `first`, in their order: of each the bases that anything stood on. Linear in versions."""
    start = first - timedelta(days=days)
    steps: dict[tuple[int, str], dict[date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def count(key: tuple[int, str], what: str, begin: date, end: date) -> None:
        begin, end = max(begin, start), min(end, first)
        if begin < end:
            steps[key][begin][what] += 1
            steps[key][end][what] -= 1

    for function in functions:
        following = [*(version.on for version in function.versions), first][1:]
        for at, (version, end) in enumerate(zip(function.versions, following, strict=True)):
            key, stale_from = (function.account, version.base), version.stale_from or first
            count(key, "all", version.on, end)
            count(key, "stale", max(version.on, stale_from), end)
            if at == len(function.versions) - 1 and function.overdue_from:
                count(key, "overdue", max(version.on, stale_from, function.overdue_from), end)
    return sorted(_standing(start, days, steps), key=lambda stood: (stood.day, stood.account, stood.base))


def _standing(start: date, days: int, steps: dict[tuple[int, str], dict[date, Counter[str]]]) -> Iterable[Stood]:
    for (account, base), changes in steps.items():
        now = Counter[str]()
        for number in range(days):
            day = start + timedelta(days=number)
            now.update(changes.get(day, {}))
            if now["all"]:
                yield Stood(day, account, base, now["all"] - now["stale"], now["stale"], now["overdue"])
