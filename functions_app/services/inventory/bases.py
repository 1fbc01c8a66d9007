"""The list of base streams: what each is at, who stands on it and how many of those are behind."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from functions_app.domain.errors import Problem
from functions_app.models import BaseStream, Function
from functions_app.services.inventory.base_use import (
    Family,
    ReleaseFact,
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


ORDER = {standing: rank for rank, standing in enumerate(Standing)}


class Level(NamedTuple):
    """A stream that something stands on: how it stands while it is in time by policy, and once it is overdue."""

    stream_id: int
    in_time: Standing
    overdue: Standing
    nearest: bool


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
    worn: str  # the base beneath its current release that is not current any more, "" for none


@dataclass(frozen=True)
class BaseList:
    """Streams that somebody stands on, those nobody does, and the functions whose base is not known."""

    used: tuple[StreamRow, ...]
    unused: tuple[StreamRow, ...]
    unknown: int


def base_list(now: datetime) -> BaseList:
    """Read the whole list. Nine queries."""
    today = now.date()
    streams = list(BaseStream.objects.all())
    known = family(release_facts())
    tallies = tally(streams, known, live_uses(), overdue_ways(today), today)
    names = {stream.pk: stream.name for stream in streams}
    dated: dict[int, set[object]] = defaultdict(set)  # a release for two platforms is one
    newest: dict[int, ReleaseFact] = {}
    for fact in known.releases.values():
        dated[fact.stream_id].add(fact.tag or fact.created_at.date())
        if fact.current:
            newest.setdefault(fact.stream_id, fact)
    rows = []
    for stream in streams:
        current = newest.get(stream.pk)
        beneath = [known.releases[pk] for pk in known.beneath.get(current.pk, ())] if current else []
        worn = next((names[lower.stream_id] for lower in beneath if not lower.current), "")
        counted = tallies.get(stream.pk, NOBODY)
        rows.append(_row(stream, current, counted, Ends.of(stream, today), len(dated[stream.pk]), worn))
    used = [row for row in rows if row.tally.total or row.own]
    used.sort(key=lambda row: (-row.tally.behind, -row.tally.total, row.name))
    unused = [row for row in rows if not (row.tally.total or row.own)]
    return BaseList(tuple(used), tuple(unused), Function.objects.filter(gone_at=None, base_name="").count())


def _row(
    stream: BaseStream, current: ReleaseFact | None, counted: Tally, ends: Ends, releases: int, worn: str
) -> StreamRow:
    return StreamRow(
        pk=stream.pk,
        name=stream.name,
        reference=stream.reference,
        own=stream.own,
        enabled=stream.enabled,
        current_tag=current.tag if current else "",
        current_at=current.created_at if current else None,
        releases=releases,
        tally=counted,
        ends=ends,
        polled_at=stream.polled_at,
        problem=Problem.from_json(stream.problem) if stream.problem else None,
        worn=worn,
    )


def tally(
    streams: Iterable[BaseStream], known: Family, uses: Iterable[Use], late: set[tuple[int, str]], today: date
) -> dict[int, Tally]:
    """Count functions and aliases by stream; who stands on a golden image counts for what is beneath it too."""
    over = {stream.pk for stream in streams if Ends.of(stream, today).over}
    stacks: dict[tuple[int | None, int | None], list[Level]] = {}  # twenty thousand uses, but few releases
    worst: dict[tuple[int, int], Standing] = {}
    aliases: Counter[int] = Counter()
    direct: set[tuple[int, int]] = set()
    for use in uses:
        stack = stacks.get(use[3:])
        if stack is None:
            stack = stacks[use[3:]] = levels(use, known, over)
        overdue = (use.function_id, use.alias) in late
        for stream_id, in_time, when_overdue, nearest in stack:
            aliases[stream_id] += 1
            found = when_overdue if overdue else in_time
            key = (stream_id, use.function_id)
            if key not in worst or ORDER[found] > ORDER[worst[key]]:
                worst[key] = found
            if nearest:
                direct.add(key)
    counts: dict[int, Counter[Standing]] = defaultdict(Counter)
    through: Counter[int] = Counter()
    for key, found in worst.items():
        counts[key[0]][found] += 1
        through[key[0]] += key not in direct
    return {pk: Tally(dict(found), aliases[pk], through[pk]) for pk, found in counts.items()}


def levels(use: Use, known: Family, over: Collection[int]) -> list[Level]:
    """Each stream a use stands on, and how it stands there."""
    release = known.releases.get(use.release_id) if use.release_id else None
    found: dict[int, tuple[bool | None, bool]] = {}  # stream: on its current release (None: unknown), the nearest
    if release is not None:
        found[release.stream_id] = (release.current, True)
        for pk in known.beneath.get(release.pk, ()):
            lower = known.releases[pk]
            found.setdefault(lower.stream_id, (lower.current, False))
    elif use.stream_id:
        found[use.stream_id] = (None, True)
    return [
        Level(
            stream_id,
            standing(current, overdue=False, over=stream_id in over),
            standing(current, overdue=True, over=stream_id in over),
            nearest,
        )
        for stream_id, (current, nearest) in found.items()
    ]


def standing(current: bool | None, *, overdue: bool, over: bool) -> Standing:
    """One verdict of these facts: `current` None is an unknown release, `over` a stream at its end of life."""
    if over:
        return Standing.END_OF_LIFE
    if current:
        return Standing.CURRENT
    if overdue:
        return Standing.OVERDUE
    return Standing.UNKNOWN if current is None else Standing.STALE
