"""Is the base of an image current? CURRENT, STALE, END_OF_LIFE or UNKNOWN, always with the reason.

What is stale is so from a day: that on which the next release came, or on which the tag left this one behind. Nothing
is called current by a reading of long ago.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from functions_app.domain.bases.detection import Detection, Tier
from functions_app.domain.bases.ends_of_life import End, Ends, ends_of
from functions_app.domain.bases.lineage import KnownRelease, Level
from functions_app.domain.text import counted

REASON_LIMIT = 300  # characters; the column that keeps it
NEWER_LIMIT = 100  # newer releases whose days are kept: what a policy may count to
READ_WITHIN = timedelta(days=7)  # AWS releases a base every few days or weeks: what was read earlier tells no more
NEVER_ASKED: Mapping[str, datetime] = MappingProxyType({})


class Freshness(StrEnum):
    """The verdict on an image's base; UNKNOWN is neither good nor bad and says why."""

    CURRENT = "current"
    STALE = "stale"
    END_OF_LIFE = "end_of_life"
    UNKNOWN = "unknown"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Value and the words people read, for a model field."""
        return [(item.value, item.value.replace("_", " ")) for item in cls]

    @property
    def severity(self) -> int:
        """Higher is worse: end of life, stale, unknown, current."""
        return ("current", "unknown", "stale", "end_of_life").index(self)


@dataclass(frozen=True)
class Verdict:
    """A freshness with its reason in one sentence, and how far the base is behind its stream.

    `days_behind` are those since `stale_since`: how long it has been stale, by the calendar.
    """

    freshness: Freshness
    reason: str
    releases_behind: int = 0
    days_behind: int = 0
    stale_since: datetime | None = None  # when the first newer release came, or this one was withdrawn
    end_of_life_on: date | None = None  # the first end among runtime and OS, past or to come
    newer: tuple[datetime, ...] = ()  # when each newer release of this level came, the first NEWER_LIMIT
    levels: tuple["Verdict", ...] = ()  # one for each of the detection's levels


@dataclass(frozen=True)
class _Standing:
    """A level's verdict with the parts of its sentence: the ends that are past, then what follows the label.

    `doubt` says briefly why it is unknown.
    """

    verdict: Verdict
    tail: str
    ended: str = ""
    doubt: str = ""


Tracks = Mapping[tuple[str, str], Sequence[KnownRelease]]  # all known releases by stream and platform


def judge(
    detection: Detection,
    tracks: Tracks,
    ends: Mapping[str, Ends],
    now: datetime,
    last_read: Mapping[str, datetime] = NEVER_ASKED,
) -> Verdict:
    """Compare each level of the base found with the current release of its stream for its platform; the worst counts.

    `ends` are the dates by stream, `last_read` when each was last read. End of life wins over staleness. Where only the
    stream is known, its end of life is all that can be said; a golden image, which has no dates of its own, ends with
    the level beneath it. Nothing is current that may stand on something else, which is not known.
    """
    if not detection.levels:
        return _without_release(detection, ends, now)
    lead = "Built on" if detection.tier is Tier.EXACT else "Says that it was built on"
    standings = [_judge_level(level, tracks, ends, now, last_read) for level in detection.levels]
    levels = tuple(
        replace(each.verdict, reason=_sentence(each.ended, f"{lead} {level.release.label}{each.tail}"))
        for level, each in zip(detection.levels, standings, strict=True)
    )
    behind = max(levels, key=lambda verdict: (verdict.days_behind, verdict.releases_behind))
    reason = levels[0].reason
    if (at := _worst_beneath(levels)) is not None:
        nearest = f"{lead} {detection.levels[0].release.label}, {_briefly(standings[0])}"
        beneath = f"{detection.levels[at].release.label}{standings[at].tail}"
        ended = dict.fromkeys((standings[0].ended, standings[at].ended))  # both, each once
        reason = _sentence(*ended, f"{nearest}, which stands on {beneath}")
    freshness = max((verdict.freshness for verdict in levels), key=lambda each: each.severity)
    if detection.doubt and freshness is Freshness.CURRENT:
        freshness, reason = Freshness.UNKNOWN, f"{reason} {detection.doubt}"[:REASON_LIMIT]
    return Verdict(
        freshness,
        reason,
        behind.releases_behind,
        behind.days_behind,
        stale_since=min((verdict.stale_since for verdict in levels if verdict.stale_since), default=None),
        end_of_life_on=min((verdict.end_of_life_on for verdict in levels if verdict.end_of_life_on), default=None),
        levels=levels,
    )


def _worst_beneath(levels: Sequence[Verdict]) -> int | None:
    """The level beneath the nearest that is told of: the worst that is not current, None where all are.

    Told whether the nearest is better or worse: how many days each is behind must not change what people read. Of
    two that are as bad the deepest: a new build of what stands on it does not mend it.
    """
    bad = [number for number in range(1, len(levels)) if levels[number].freshness is not Freshness.CURRENT]
    return max(bad, key=lambda number: (_badness(levels[number]), number), default=None)


def _badness(verdict: Verdict) -> tuple[int, int, int]:
    return verdict.freshness.severity, verdict.days_behind, verdict.releases_behind


def _sentence(*parts: str) -> str:
    return " ".join(part for part in parts if part)[:REASON_LIMIT]


def _briefly(standing: _Standing) -> str:
    """How the nearest level stands, where one beneath it is told of too."""
    verdict = standing.verdict
    behind = f"{counted(verdict.releases_behind, 'release')} behind" if verdict.releases_behind else ""
    if verdict.freshness is Freshness.END_OF_LIFE:
        return f"past its end of life and {behind}" if behind else "past its end of life"
    if verdict.freshness is Freshness.STALE:
        return f"itself {behind or 'withdrawn'}"
    return standing.doubt or "current"


def _without_release(detection: Detection, ends: Mapping[str, Ends], now: datetime) -> Verdict:
    known = ends_of(detection.stream, ends[detection.stream]) if detection.stream in ends else ()
    first = known[0].day if known else None
    if ended := _ended(known, detection.stream, now):
        return Verdict(Freshness.END_OF_LIFE, _sentence(ended, "Its release is unknown."), end_of_life_on=first)
    reason = detection.evidence[0]
    if detection.tier is Tier.ANNOTATION:
        reason = f"Says that it was built on {detection.stream}, but which release it is, nothing tells."
    return Verdict(Freshness.UNKNOWN, reason[:REASON_LIMIT], end_of_life_on=first)


def _judge_level(
    level: Level, tracks: Tracks, ends: Mapping[str, Ends], now: datetime, last_read: Mapping[str, datetime]
) -> _Standing:
    found = level.release
    standing = _against_current(found, tracks.get((found.stream, found.platform), (found,)), now)
    read_at = last_read.get(found.stream, now)
    if standing.verdict.freshness is Freshness.CURRENT and now - read_at > READ_WITHIN:
        standing = _not_read_since(found, read_at)
    # Whatever stream stands for the level: the same layers have the same runtime and OS, and so the same end.
    known = {stream: ends_of(stream, ends[stream]) for stream in level.streams if stream in ends}
    first = min((end.day for each in known.values() for end in each), default=None)
    ended = next((text for stream, each in known.items() if (text := _ended(each, stream, now))), "")
    freshness = Freshness.END_OF_LIFE if ended else standing.verdict.freshness
    return replace(standing, verdict=replace(standing.verdict, freshness=freshness, end_of_life_on=first), ended=ended)


def _ended(known: Sequence[End], stream: str, now: datetime) -> str:
    """Which of a stream's ends are past, in a sentence; "" where none is."""
    past = [end for end in known if end.day <= now.date()]
    if not past:
        return ""
    first, *second = past
    name = stream if first.what == "runtime" else f"{first.title}, the OS of {stream},"
    also = [
        f" and {f'its OS, {end.title},' if end.what == 'os' else f'{stream} itself'} on {end.day:%F}" for end in second
    ]
    return f"{name} reached its end of life on {first.day:%F}{''.join(also)}."


def _not_read_since(found: KnownRelease, read_at: datetime) -> _Standing:
    """What was current when its stream was last read, too long ago."""
    doubt = f"current when that was last read on {read_at:%F}"
    tail = f", the current release of {found.stream} when that was last read, on {read_at:%F}: nobody knows since."
    return _Standing(Verdict(Freshness.UNKNOWN, ""), tail, doubt=doubt)


def _against_current(found: KnownRelease, releases: Sequence[KnownRelease], now: datetime) -> _Standing:
    # Of several that came in the same moment the one that the image stands on, then the one known first.
    current = max(
        (release for release in releases if release.current),
        key=lambda each: (each.created_at, each.chain_id == found.chain_id, -each.id),
        default=None,
    )
    if current is None:
        tail = f", but {found.stream} has no current release for {found.platform}."
        return _Standing(Verdict(Freshness.UNKNOWN, ""), tail, doubt="whose stream has no current release")
    if current.chain_id == found.chain_id:
        return _Standing(Verdict(Freshness.CURRENT, ""), f", the current release of {found.stream}.")
    withdrawn = current.created_at < found.created_at
    later = _later(found, releases)
    # Where nothing tells when it was left behind, the first look at what is current now has to do.
    looked = max(found.created_at, current.first_seen_at or current.created_at)
    newer = () if withdrawn else _newer(later, current) or (looked,)
    since = newer[0] if newer else min((at for at, _ in later), default=looked)
    days = max(0, (now.date() - since.date()).days)
    if withdrawn:
        tail = f", which was withdrawn: {found.stream} is back at {current.label}, and this is stale {_for(days)}."
    else:
        tail = (
            f": {counted(len(newer), 'release')} behind {current.label}, stale {_for(days)} "
            f"(the next release came on {since:%F})."
        )
    return _Standing(Verdict(Freshness.STALE, "", len(newer), days, since, newer=newer[:NEWER_LIMIT]), tail)


def _later(found: KnownRelease, releases: Sequence[KnownRelease]) -> list[tuple[datetime, KnownRelease]]:
    """When each other set of layers first came, or came back, after the tag last left this one."""
    after = max((_last(each) for each in releases if each.chain_id == found.chain_id), default=_last(found))
    later = []
    for each in releases:
        times = [at for at in (each.created_at, each.returned_at) if at and at > after]
        if times and each.chain_id != found.chain_id:
            later.append((min(times), each))
    return later


def _newer(later: Sequence[tuple[datetime, KnownRelease]], current: KnownRelease) -> tuple[datetime, ...]:
    """When each set of layers that came later did so, up to the current one: those withdrawn since don't count."""
    first: dict[str, datetime] = {}
    for at, release in later:
        if release.created_at <= current.created_at:
            first[release.chain_id] = min(at, first.get(release.chain_id, at))
    return tuple(sorted(first.values()))


def _last(release: KnownRelease) -> datetime:
    return release.returned_at or release.created_at


def _for(days: int) -> str:
    return f"for {counted(days, 'day')}" if days else "since today"
