"""Who runs one base, counted and cut into pages by the database: on a popular one stand tens of thousands."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
COUNTS = f"""
    SELECT worst, account_id, owner, NULL, through, COUNT(*), 0, SUM(ways) FROM (
        SELECT MIN(account_id) AS account_id, MIN(owner) AS owner, COUNT(*) AS ways, MAX({{rank}}) AS worst,
            MIN(CASE WHEN release_id <> nearest_id THEN 1 ELSE 0 END) AS through
        FROM {USES} {{in_order}} WHERE stream_id = %s GROUP BY name, function_id
    ) AS each_function GROUP BY worst, account_id, owner, through
    UNION ALL
    SELECT NULL, account_id, '', release_id, 0, COUNT(DISTINCT function_id), COUNT(*), SUM(ways) FROM (
        SELECT release_id, function_id, MIN(account_id) AS account_id, COUNT(*) AS ways
        FROM {USES} WHERE stream_id = %s GROUP BY release_id, name, function_id, version
    ) AS each_version GROUP BY release_id, account_id"""  # noqa: S608
PART = f"""
    SELECT * FROM (
        SELECT {{part}} AS part, name, function_id, version, {{worst}} AS worst
        FROM {USES} {{in_order}} WHERE {{where}} GROUP BY name, function_id, version ORDER BY {{order}}
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
    ORDER BY part, worst DESC, uses.name, uses.function_id, uses.version, alias"""  # noqa: S608
FORWARDS = "worst DESC, name, function_id, version"
BACKWARDS = "worst, name DESC, function_id DESC, version DESC"


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


EVERY = 10**9  # ways: more than there ever are


@dataclass(frozen=True)
class Slice:
    """Some of the ways, the worst first and then by name: `count` of them from `start`, of `total`."""

    start: int
    count: int
    total: int
    release: int | None = None  # 0: those on a release that is not known
    account: int | None = None
    functions: tuple[int, ...] | None = None  # None: of all


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

    def among(self, release: int | None, account: int | None) -> tuple[OnRelease, ...]:
        """What one release has (0: an unknown one) and one account; None asks for all."""
        some = self.on if release is None else self.by_release.get(release or None, ())
        return tuple(each for each in some if account in (None, each.account))

    def older_among(self, release: int | None, account: int | None, current: Collection[int]) -> int:
        """Functions among those of which something is not on a current release."""
        if release is None:
            return sum(each.functions for each in self.functions if each.worst and account in (None, each.account))
        return 0 if release in current else sum(each.functions for each in self.among(release, account))


def standing_of(rank: int, *, over: bool) -> Standing:
    """How something of this rank stands on its base."""
    return Standing.END_OF_LIFE if over else RANKS[rank]


def count_uses(stream_id: int, current: Collection[int], today: date, *, over: bool) -> UseCounts:
    """Count what stands on a stream, whose `current` releases these are. One query."""
    statement = COUNTS.format(rank=RANK.format(_places(current)), in_order=_in_order())
    functions, on = [], []
    with connection.cursor() as cursor:
        cursor.execute(statement, [*current, today, stream_id, stream_id])
        for worst, account, owner, release, through, number, versions, aliases in cursor.fetchall():
            if worst is None:
                on.append(OnRelease(account, release, number, versions, int(aliases)))
            else:
                functions.append(FunctionsLike(worst, account, owner, bool(through), number, int(aliases)))
    return UseCounts(tuple(functions), tuple(on), over)


def list_uses(stream_id: int, current: Collection[int], today: date | None, slices: Sequence[Slice]) -> list[list[Way]]:
    """The ways of each slice, in order. One query. Without `today` all stand alike, as at a stream's end of life."""
    parts, values = [], list[Any]()
    for part, each in enumerate(slices):
        statement, own = _part(part, stream_id, current, today, each)
        parts.append(statement)
        values += own
    found: list[list[Way]] = [[] for _ in slices]
    with connection.cursor() as cursor:
        cursor.execute(LISTED.format(parts=" UNION ALL ".join(parts)), [*values, stream_id])
        for part, rank, *facts, alias in cursor.fetchall():
            ways, way = found[part], Way._make((*facts, rank, (alias,) if alias else ()))
            if ways and ways[-1][:8] == way[:8]:
                ways[-1] = ways[-1]._replace(aliases=(*ways[-1].aliases, *way.aliases))
            else:
                ways.append(way)
    return found


def use_keys(stream_id: int, current: Collection[int], today: date | None, wanted: Slice) -> list[tuple[int, str]]:
    """The function and the version of all of these ways, in order; of `wanted` what they are on and of. One query."""
    rank, values = _rank(current, today)
    where, chosen = _where(stream_id, wanted)
    statement = KEYS.format(rank=rank, in_order=_in_order() if wanted.release is None else "", where=where)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*chosen, *values])
        return [(function, intern(version)) for function, version in cursor]


def _part(
    part: int, stream_id: int, current: Collection[int], today: date | None, wanted: Slice
) -> tuple[str, list[Any]]:
    """The statement that finds a slice, and its values. One of the second half is found from the end."""
    rank, values = _rank(current, today)
    worst = f"MAX({rank})"
    if today is None or wanted.release in current:  # all alike: a constant, so that an index has them in order
        worst, values = "0", []
    where, chosen = _where(stream_id, wanted)
    from_end = wanted.total - wanted.start - wanted.count
    order, skipped = (FORWARDS, wanted.start) if wanted.start <= from_end else (BACKWARDS, from_end)
    in_order = _in_order() if wanted.release is None and wanted.functions is None else ""
    statement = PART.format(part=part, worst=worst, in_order=in_order, where=where, order=order)
    return statement, [*values, *chosen, wanted.count, skipped]


def _rank(current: Collection[int], today: date | None) -> tuple[str, list[Any]]:
    return ("0", []) if today is None else (RANK.format(_places(current)), [*current, today])


def _where(stream_id: int, wanted: Slice) -> tuple[str, list[Any]]:
    where, values = ["stream_id = %s"], [stream_id]
    if wanted.release is not None:
        where.append("release_id = %s" if wanted.release else "release_id IS NULL")
        values += [wanted.release] if wanted.release else []
    if wanted.account is not None:
        where.append("account_id = %s")
        values.append(wanted.account)
    if wanted.functions is not None:
        where.append(f"function_id IN ({_places(wanted.functions)})")
        values += wanted.functions
    return " AND ".join(where), values


def _in_order() -> str:
    """The index that has a stream's uses by name: until it has counted an index, SQLite takes the one with the most."""
    return "INDEXED BY base_uses_by_name" if connection.vendor == "sqlite" else ""


def _places(values: Iterable[int]) -> str:
    return ", ".join("%s" for _ in values) or "NULL"
