"""The list of base streams: what each is at, who stands on it and how many of those are behind."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from django.db import connection
from django.db.models import Count, Q

from functions_app.domain.bases.ends_of_life import ends_of
from functions_app.domain.causes import Cause, by_cause
from functions_app.domain.errors import Problem
from functions_app.models import BaseRelease, BaseStream, BaseUse, Function
from functions_app.services.bases.runtime_facts import ends_by
from functions_app.services.snapshot.base_use_rows import Lineages
from functions_app.services.snapshot.live_on_bases import ReleaseFact


class Standing(StrEnum):
    """How a function stands on one base, the best first."""

    CURRENT = "current"
    UNKNOWN = "unknown"
    STALE = "stale"
    OVERDUE = "overdue"
    END_OF_LIFE = "end_of_life"


RANKS = tuple(Standing)
ORDER = {standing: rank for rank, standing in enumerate(Standing)}


@dataclass(frozen=True)
class Ends:
    """When runtime and OS of a stream end, as far as they decide: the day and the days left (negative: it is over)."""

    runtime: date | None
    runtime_days: int | None
    updates_blocked: date | None
    os: date | None
    os_days: int | None

    @classmethod
    def of(cls, stream: BaseStream, today: date) -> "Ends":
        """The dates of a stream, seen from a day."""
        days = {end.what: end.day for end in ends_of(stream.name, ends_by(stream))}
        left = {what: (day - today).days for what, day in days.items()}
        runtime, os = days.get("runtime"), days.get("os")
        return cls(runtime, left.get("runtime"), stream.updates_blocked_on, os, left.get("os"))

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
    told: bool = False  # its problem is told above the list, since others have it too


@dataclass(frozen=True)
class BaseList:
    """Streams that somebody stands on, those nobody does, and the functions whose base is not known.

    `shared`: why several of them could not be read.
    """

    used: tuple[StreamRow, ...]
    unused: tuple[StreamRow, ...]
    unknown: int
    shared: tuple[Cause, ...]


def base_list(now: datetime, *, brief: bool = False) -> BaseList:
    """Read the whole list. Eight queries, whose rows grow with streams, not with functions.

    Four where it is `brief`: without how many releases are known, and what is worn beneath.
    """
    today = now.date()
    streams = list(BaseStream.objects.all())
    newest = current_releases()
    current: dict[int, ReleaseFact] = {}
    for fact in newest.values():
        current.setdefault(fact.stream_id, fact)
    ends = {stream.pk: Ends.of(stream, today) for stream in streams}
    over = {pk for pk, each in ends.items() if each.over}
    tallies = read_tallies(newest.keys(), over, today)
    known = {} if brief else _releases_by_stream()
    lineages = {} if brief else Lineages().of(fact.pk for fact in current.values())
    names = {stream.pk: stream.name for stream in streams}
    rows = []
    for stream in streams:
        top = current.get(stream.pk)
        beneath = lineages.get(top.pk, ())[1:] if top else ()
        worn = next((names[lower.stream_id] for lower in beneath if lower.pk not in newest), "")
        counted = tallies.get(stream.pk, NOBODY)
        rows.append(_row(stream, top, counted, ends[stream.pk], known.get(stream.pk, 0), worn))
    causes = by_cause((row.name, row.problem) for row in rows if row.problem)
    shared = tuple(cause for cause in causes if cause.count > 1)
    told = {name for cause in shared for name in cause.names}
    rows = [replace(row, told=True) if row.name in told else row for row in rows]
    used = [row for row in rows if row.tally.total or row.own]
    used.sort(key=lambda row: (-row.tally.behind, -row.tally.total, row.name))
    unused = [row for row in rows if not (row.tally.total or row.own)]
    unknown = Function.objects.filter(gone_at=None, base_name="").count()
    return BaseList(tuple(used), tuple(unused), unknown, shared)


def current_releases() -> dict[int, ReleaseFact]:
    """The current release of each stream and platform, the newest first. One query."""
    rows = BaseRelease.objects.filter(current=True).order_by("-created_at", "pk").values_list(*ReleaseFact.COLUMNS)
    return {row[0]: ReleaseFact(*row) for row in rows}


def _releases_by_stream() -> Mapping[int, int]:
    """How many releases are known of each stream: one for two platforms is one. Two queries."""
    tagged = BaseRelease.objects.order_by().values_list("stream_id")
    counts = Counter(dict(tagged.annotate(count=Count("tag", filter=~Q(tag=""), distinct=True))))
    untagged = BaseRelease.objects.filter(tag="").order_by().values_list("stream_id", "created_at")
    counts.update(stream for stream, _ in {(stream, built.date()) for stream, built in untagged})
    return counts


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


def read_tallies(current: Collection[int], over: Collection[int], today: date) -> dict[int, Tally]:
    """Functions and aliases by stream. `current` are releases, `over` streams at their end of life. One query."""
    uses = BaseUse._meta.db_table
    places = ", ".join(["%s"] * len(current)) or "NULL"
    # The table's name and the placeholders are ours; every value is a parameter.
    statement = f"""
        SELECT stream_id, worst, COUNT(*), SUM(ways), SUM(through) FROM (
            SELECT stream_id, function_id, COUNT(*) AS ways,
                MIN(CASE WHEN release_id <> nearest_id THEN 1 ELSE 0 END) AS through,
                MAX(CASE WHEN release_id IN ({places}) THEN 0 WHEN overdue_on <= %s THEN 3
                    WHEN release_id IS NULL THEN 1 ELSE 2 END) AS worst
            FROM {uses} GROUP BY stream_id, function_id
        ) AS each_function GROUP BY stream_id, worst"""  # noqa: S608
    found: dict[int, tuple[Counter[Standing], list[int]]] = defaultdict(lambda: (Counter(), [0, 0]))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*current, today])
        for stream_id, worst, functions, ways, through in cursor.fetchall():
            counts, sums = found[stream_id]
            counts[Standing.END_OF_LIFE if stream_id in over else RANKS[worst]] += functions
            sums[0] += int(ways)
            sums[1] += int(through)
    return {pk: Tally(dict(counts), *sums) for pk, (counts, sums) in found.items()}


def standing(current: bool | None, *, overdue: bool, over: bool) -> Standing:
    """One verdict of these facts: `current` None is an unknown release, `over` a stream at its end of life."""
    if over:
        return Standing.END_OF_LIFE
    if current:
        return Standing.CURRENT
    if overdue:
        return Standing.OVERDUE
    return Standing.UNKNOWN if current is None else Standing.STALE
