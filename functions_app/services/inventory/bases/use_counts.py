"""Who runs one base, counted and cut into pages by the database: on a popular one stand tens of thousands."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from sys import intern
from typing import Any, NamedTuple

from django.db import connection

from functions_app.models import BaseUse
from functions_app.services.inventory.bases.base_list import RANKS, Standing, Tally

USES = BaseUse._meta.db_table
# Ranks are those of base_list.RANKS, but for the stream's end of life. The table's name and the placeholders are ours;
# every value is a parameter.
RANK = "CASE WHEN release_id IN ({}) THEN 0 WHEN overdue_on <= %s THEN 3 WHEN release_id IS NULL THEN 1 ELSE 2 END"
CURRENT, UNKNOWN, OLDER, OVERDUE = range(4)
COUNTS = f"""
    SELECT worst, account_id, owner, NULL, through, COUNT(*), 0, 0, SUM(ways) FROM (
        SELECT MIN(account_id) AS account_id, MIN(owner) AS owner, COUNT(*) AS ways, MAX({{rank}}) AS worst,
            MIN(CASE WHEN release_id <> nearest_id THEN 1 ELSE 0 END) AS through
        FROM {USES} {{in_order}} WHERE stream_id = %s GROUP BY name, function_id
    ) AS each_function GROUP BY worst, account_id, owner, through
    UNION ALL
    SELECT NULL, account_id, '', release_id, 0, COUNT(DISTINCT function_id), COUNT(*), SUM(late), SUM(ways) FROM (
        SELECT release_id, function_id, MIN(account_id) AS account_id, COUNT(*) AS ways,
            MAX(CASE WHEN overdue_on <= %s THEN 1 ELSE 0 END) AS late
        FROM {USES} WHERE stream_id = %s GROUP BY release_id, name, function_id, version
    ) AS each_version GROUP BY release_id, account_id"""  # noqa: S608
PART = f"""
    SELECT * FROM (
        SELECT {{part}} AS part, name, function_id, version, {{worst}} AS worst
        FROM {USES} {{in_order}} WHERE {{where}} GROUP BY name, function_id, version {{having}} ORDER BY {{order}}
        LIMIT %s OFFSET %s
    ) AS part_{{part}}"""  # noqa: S608
KEYS = f"""
    SELECT function_id, version FROM {USES} {{in_order}} WHERE {{where}} GROUP BY name, function_id, version
    ORDER BY MAX({{rank}}) DESC, name, function_id, version"""  # noqa: S608
LISTED = f"""
    SELECT part, worst, uses.function_id, uses.name, account_id, region, owner, uses.version, release_id, nearest_id,
        alias
    FROM ({{parts}}) AS shown JOIN {USES} AS uses ON uses.stream_id = %s AND uses.name = shown.name
        AND uses.function_id = shown.function_id AND uses.version = shown.version
    ORDER BY part, uses.name, uses.function_id, uses.version, alias"""  # noqa: S608
SOME = f"""
    SELECT {{rank}} AS worst, function_id, name, account_id, region, owner, version, release_id, nearest_id, alias
    FROM {USES} WHERE {{where}} ORDER BY name, function_id, version, alias"""  # noqa: S608
FORWARDS = "name, function_id, version"
BACKWARDS = "name DESC, function_id DESC, version DESC"


class FunctionsLike(NamedTuple):
    """Functions that stand alike: the worst rank of what they have there, and whether only through golden images."""

    worst: int
    account: int
    owner: str
    through: bool
    functions: int
    aliases: int


class OnRelease(NamedTuple):
    """What one account has on a release; None is one that nobody knows. A $LATEST without an alias counts as one."""

    account: int
    release_id: int | None
    functions: int
    versions: int
    late: int  # versions of which an alias is past its day, on whatever release
    aliases: int


class Way(NamedTuple):
    """A function's version on a release of a stream, with the aliases that send it calls.

    `release_id` None: a release that is not known; `nearest` the release the image stands on itself.
    """

    function_id: int
    name: str
    account: int
    region: str
    owner: str
    version: str
    release_id: int | None
    nearest: int | None
    rank: int
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """Which of a stream's ways: on a release (0: one that is not known), of an account; None asks for all."""

    release: int | None = None
    account: int | None = None


@dataclass(frozen=True)
class Slice:
    """Some of the ways that are asked for, the worst first and then by name: `count` of them from `start`.

    `ranks` says how many have each rank: so they are found in the order of an index, and none is sorted.
    """

    asked: Asked
    start: int
    count: int
    ranks: Mapping[int, int]


@dataclass(frozen=True)
class UseCounts:
    """What stands on one stream, in sums."""

    functions: tuple[FunctionsLike, ...]
    on: tuple[OnRelease, ...]
    over: bool  # the stream is at its end of life

    @cached_property
    def by_release(self) -> Mapping[int | None, Sequence[OnRelease]]:
        """What each account has on a release."""
        found: dict[int | None, list[OnRelease]] = defaultdict(list)
        for each in self.on:
            found[each.release_id].append(each)
        return found

    @cached_property
    def aliases_on(self) -> Counter[int | None]:
        """Aliases by release."""
        return Counter({pk: sum(each.aliases for each in some) for pk, some in self.by_release.items()})

    @property
    def older(self) -> int:
        """Functions of which something is not on a current release."""
        return sum(each.functions for each in self.functions if each.worst)

    @property
    def tally(self) -> Tally:
        """Functions by the worst of their ways; and those that stand on it through others alone."""
        counts: Counter[Standing] = Counter()
        for each in self.functions:
            counts[standing_of(each.worst, over=self.over)] += each.functions
        through = sum(each.functions for each in self.functions if each.through)
        return Tally(dict(counts), sum(each.aliases for each in self.functions), through)

    def among(self, asked: Asked) -> tuple[OnRelease, ...]:
        """What is asked for, by release and account."""
        some = self.on if asked.release is None else self.by_release.get(asked.release or None, ())
        return tuple(each for each in some if asked.account in (None, each.account))

    def ranks(self, asked: Asked, current: Collection[int]) -> Mapping[int, int]:
        """How many of the ways that are asked for have each rank."""
        found: Counter[int] = Counter()
        for each in self.among(asked):
            if self.over or each.release_id in current:
                found[CURRENT] += each.versions
            else:
                found[OVERDUE] += each.late
                found[OLDER if each.release_id else UNKNOWN] += each.versions - each.late
        return found

    def older_among(self, asked: Asked, current: Collection[int]) -> int:
        """Functions among those of which something is not on a current release."""
        if asked.release is None:
            return sum(
                each.functions for each in self.functions if each.worst and asked.account in (None, each.account)
            )
        return 0 if asked.release in current else sum(each.functions for each in self.among(asked))


def standing_of(rank: int, *, over: bool) -> Standing:
    """How something of this rank stands on its base."""
    return Standing.END_OF_LIFE if over else RANKS[rank]


def count_uses(stream_id: int, current: Collection[int], today: date, *, over: bool) -> UseCounts:
    """Count what stands on a stream, whose `current` releases these are. One query."""
    statement = COUNTS.format(rank=RANK.format(_places(current)), in_order=_in_order())
    functions, on = [], []
    with connection.cursor() as cursor:
        cursor.execute(statement, [*current, today, stream_id, today, stream_id])
        for worst, account, owner, release, through, number, versions, late, aliases in cursor.fetchall():
            if worst is None:
                on.append(OnRelease(account, release, number, versions, int(late), int(aliases)))
            else:
                functions.append(FunctionsLike(worst, account, owner, bool(through), number, int(aliases)))
    return UseCounts(tuple(functions), tuple(on), over)


def list_uses(stream_id: int, current: Collection[int], today: date | None, slices: Sequence[Slice]) -> list[list[Way]]:
    """The ways of each slice, in order. One query at most. Without `today` all stand alike, as at the end of life."""
    parts, values, slice_of = list[str](), list[Any](), list[int]()
    for at, wanted in enumerate(slices):
        for statement, own in _parts(len(parts), stream_id, current, today, wanted):
            parts.append(statement)
            values += own
            slice_of.append(at)
    found: list[list[Way]] = [[] for _ in slices]
    if not parts:
        return found
    with connection.cursor() as cursor:
        cursor.execute(LISTED.format(parts=" UNION ALL ".join(parts)), [*values, stream_id])
        for part, *row in cursor.fetchall():
            _add(found[slice_of[part]], row)
    return found


def uses_of(
    functions: Sequence[int], stream_id: int, current: Collection[int], today: date | None, asked: Asked
) -> list[Way]:
    """All ways of these functions that are asked for, by name. One query."""
    rank, values = _rank(current, today)
    where, chosen = _where(stream_id, asked)
    statement = SOME.format(rank=rank, where=f"{where} AND function_id IN ({_places(functions)})")
    found: list[Way] = []
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *chosen, *functions])
        for row in cursor.fetchall():
            _add(found, row)
    return found


def use_keys(stream_id: int, current: Collection[int], today: date | None, asked: Asked) -> list[tuple[int, str]]:
    """The function and the version of all of these ways, the worst first and then by name. One query."""
    rank, values = _rank(current, today)
    where, chosen = _where(stream_id, asked)
    statement = KEYS.format(rank=rank, in_order=_in_order() if asked.release is None else "", where=where)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*chosen, *values])
        return [(function, intern(version)) for function, version in cursor]


def _add(ways: list[Way], row: Sequence[Any]) -> None:
    """Add one alias of a way: to the last, where that is the same function's version."""
    rank, *facts, alias = row
    aliases = (alias,) if alias else ()
    if ways and ways[-1][:8] == tuple(facts):
        last = ways[-1]
        ways[-1] = last._replace(rank=max(last.rank, rank), aliases=(*last.aliases, *aliases))
    else:
        ways.append(Way._make((*facts, rank, aliases)))


def _parts(
    number: int, stream_id: int, current: Collection[int], today: date | None, wanted: Slice
) -> Iterator[tuple[str, list[Any]]]:
    """The statements that find a slice, one for each rank in it, and their values; the first has this `number`."""
    where, chosen = _where(stream_id, wanted.asked)
    ranks = [(rank, count) for rank, count in sorted(wanted.ranks.items(), reverse=True) if count]
    before = 0
    for rank, count in ranks:
        start, end = max(0, wanted.start - before), min(count, wanted.start + wanted.count - before)
        before += count
        if start >= end:
            continue
        # What is in the second half is found from the end.
        order, skipped = (FORWARDS, start) if start <= count - end else (BACKWARDS, count - end)
        only, having, values = _only(rank, current, today) if len(ranks) > 1 else ("", "", [])
        statement = PART.format(
            part=number,
            worst=rank,
            in_order=_in_order() if wanted.asked.release is None else "",
            where=where + only,
            having=having,
            order=order,
        )
        yield statement, [*chosen, *values, end - start, skipped]
        number += 1


def _only(rank: int, current: Collection[int], today: date | None) -> tuple[str, str, list[Any]]:
    """What must be of rows and of their groups to have one rank, as RANK tells it, and the values.

    Not by RANK itself: PostgreSQL would take such groups for so rare that it looked for them among all, not in order.
    """
    is_current = f"release_id IN ({_places(current)})" if current else "1 = 0"
    none_late = "HAVING MAX(CASE WHEN overdue_on <= %s THEN 1 ELSE 0 END) < 1"
    if rank == CURRENT:
        return f" AND {is_current}", "", [*current]
    if rank == UNKNOWN:
        return " AND release_id IS NULL", none_late, [today]
    if rank == OLDER:
        return f" AND release_id IS NOT NULL AND NOT ({is_current})", none_late, [*current, today]
    return f" AND (release_id IS NULL OR NOT ({is_current})) AND overdue_on <= %s", "", [*current, today]


def _rank(current: Collection[int], today: date | None) -> tuple[str, list[Any]]:
    return ("0", []) if today is None else (RANK.format(_places(current)), [*current, today])


def _where(stream_id: int, asked: Asked) -> tuple[str, list[Any]]:
    where, values = ["stream_id = %s"], [stream_id]
    if asked.release is not None:
        where.append("release_id = %s" if asked.release else "release_id IS NULL")
        values += [asked.release] if asked.release else []
    if asked.account is not None:
        where.append("account_id = %s")
        values.append(asked.account)
    return " AND ".join(where), values


def _in_order() -> str:
    """The index that has a stream's uses by name: until it has counted an index, SQLite takes the one with the most."""
    return "INDEXED BY base_uses_by_name" if connection.vendor == "sqlite" else ""


def _places(values: Iterable[int]) -> str:
    return ", ".join("%s" for _ in values) or "NULL"
