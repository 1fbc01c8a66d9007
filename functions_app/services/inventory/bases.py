"""The list of base streams: what each is at, who stands on it and how many of those are behind."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from functions_app.domain.errors import Problem
from functions_app.models import BaseStream, Function
from functions_app.services.inventory.base_use import (
    Family,
    Use,
    family,
    live_uses,
    overdue_ways,
    release_facts,
)


class Standing(StrEnum):
    """How a function stands on one base, the best first."""

    CURRENT = "current"
    UNKNOWN = "unknown"
    STALE = "stale"
    OVERDUE = "overdue"
    END_OF_LIFE = "end_of_life"


WORST_FIRST = tuple(reversed(Standing))


@dataclass(frozen=True)
class Ends:
    """When runtime and OS of a stream end: the day and the days left (negative: it is over)."""

    runtime: date | None
    runtime_days: int | None
    updates_blocked: date | None
    os: date | None
    os_days: int | None

    @classmethod
    def of(cls, stream: BaseStream, today: date) -> "Ends":
        """The dates of a stream, seen from a day."""
        return cls(
            stream.deprecated_on,
            (stream.deprecated_on - today).days if stream.deprecated_on else None,
            stream.updates_blocked_on,
            stream.os_end_of_life_on,
            (stream.os_end_of_life_on - today).days if stream.os_end_of_life_on else None,
        )

    @property
    def over(self) -> bool:
        """Whether runtime or OS gets no more patches."""
        return any(days is not None and days <= 0 for days in (self.runtime_days, self.os_days))


@dataclass(frozen=True)
class Tally:
    """Functions and aliases on a base; a function counts once, by the worst of its aliases there."""

    functions: Mapping[Standing, int]
    aliases: int
    functions_through: int  # of all, those that stand on it through a golden image alone

    @property
    def total(self) -> int:
        """Functions on the base."""
        return sum(self.functions.values())

    @property
    def behind(self) -> int:
        """Functions on an older or an unknown release, whatever the stream's end of life."""
        return self.total - self.functions.get(Standing.CURRENT, 0)

    @property
    def shares(self) -> tuple[tuple[Standing, int], ...]:
        """Standings that some function has, best first."""
        return tuple((standing, self.functions[standing]) for standing in Standing if self.functions.get(standing))


NOBODY = Tally({}, 0, 0)


@dataclass(frozen=True)
class StreamRow:
    """One stream in the list."""

    pk: int
    name: str
    reference: str
    own: bool
    enabled: bool
    current_tag: str
    current_at: datetime | None
    releases: int
    tally: Tally
    ends: Ends
    polled_at: datetime | None
    problem: Problem | None


@dataclass(frozen=True)
class BaseList:
    """Streams that somebody stands on, those nobody does, and the functions whose base is not known."""

    used: tuple[StreamRow, ...]
    unused: tuple[StreamRow, ...]
    unknown: int


def base_list(now: datetime) -> BaseList:
    """Read the whole list. Nine queries."""
    streams = list(BaseStream.objects.all())
    known = family(release_facts())
    tallies = tally(streams, known, live_uses(), overdue_ways(now.date()), now.date())
    counted: dict[int, set[object]] = defaultdict(set)
    newest: dict[int, tuple[datetime, str]] = {}
    for fact in known.releases.values():
        counted[fact.stream_id].add(fact.tag or fact.created_at.date())
        if fact.current and fact.stream_id not in newest:
            newest[fact.stream_id] = (fact.created_at, fact.tag)
    rows = []
    for stream in streams:
        at, tag = newest.get(stream.pk, (None, ""))
        rows.append(
            StreamRow(
                pk=stream.pk,
                name=stream.name,
                reference=stream.reference,
                own=stream.own,
                enabled=stream.enabled,
                current_tag=tag,
                current_at=at,
                releases=len(counted[stream.pk]),
                tally=tallies.get(stream.pk, NOBODY),
                ends=Ends.of(stream, now.date()),
                polled_at=stream.polled_at,
                problem=Problem.from_json(stream.problem) if stream.problem else None,
            )
        )
    used = [row for row in rows if row.tally.total or row.own]
    used.sort(key=lambda row: (-row.tally.behind, -row.tally.total, row.name))
    unused = [row for row in rows if not (row.tally.total or row.own)]
    return BaseList(tuple(used), tuple(unused), Function.objects.filter(gone_at=None, base_name="").count())


def tally(
    streams: Iterable[BaseStream], known: Family, uses: Iterable[Use], late: set[tuple[int, str]], today: date
) -> dict[int, Tally]:
    """Count functions and aliases by stream; who stands on a golden image counts for what is beneath it too."""
    over = {stream.pk for stream in streams if Ends.of(stream, today).over}
    worst: dict[tuple[int, int], Standing] = {}
    aliases: dict[int, int] = defaultdict(int)
    direct: set[tuple[int, int]] = set()
    order = {standing: rank for rank, standing in enumerate(Standing)}
    for use in uses:
        overdue = (use.function_id, use.alias) in late
        for stream_id, current, nearest in stands_on(use, known):
            aliases[stream_id] += 1
            found = standing(current, overdue=overdue, over=stream_id in over)
            key = (stream_id, use.function_id)
            if key not in worst or order[found] > order[worst[key]]:
                worst[key] = found
            if nearest:
                direct.add(key)
    counts: dict[int, dict[Standing, int]] = defaultdict(lambda: defaultdict(int))
    through: dict[int, int] = defaultdict(int)
    for (stream_id, function_id), found in worst.items():
        counts[stream_id][found] += 1
        through[stream_id] += (stream_id, function_id) not in direct
    return {pk: Tally(dict(found), aliases[pk], through[pk]) for pk, found in counts.items()}


def stands_on(use: Use, known: Family) -> list[tuple[int, bool | None, bool]]:
    """Each stream a use stands on, whether on its current release (None: unknown), and whether it is the nearest."""
    release = known.releases.get(use.release_id) if use.release_id else None
    if release is None:
        return [(use.stream_id, None, True)] if use.stream_id else []
    found = {release.stream_id: (release.current, True)}
    for pk in known.beneath.get(release.pk, ()):
        lower = known.releases[pk]
        found.setdefault(lower.stream_id, (lower.current, False))
    return [(stream_id, current, nearest) for stream_id, (current, nearest) in found.items()]


def standing(current: bool | None, *, overdue: bool, over: bool) -> Standing:
    """One verdict of these facts: `current` None is an unknown release, `over` a stream at its end of life."""
    if over:
        return Standing.END_OF_LIFE
    if current:
        return Standing.CURRENT
    if overdue:
        return Standing.OVERDUE
    return Standing.UNKNOWN if current is None else Standing.STALE
