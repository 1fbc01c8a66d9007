"""Is the base of an image current? CURRENT, STALE, END_OF_LIFE or UNKNOWN, always with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from functions_app.domain.bases import Detection, KnownRelease

REASON_LIMIT = 300  # characters; the column that keeps it


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


@dataclass(frozen=True)
class Verdict:
    """A freshness with its reason in one sentence, and how far the base is behind its stream."""

    freshness: Freshness
    reason: str
    releases_behind: int = 0
    days_behind: int = 0
    stale_since: datetime | None = None  # when the first newer release was built
    end_of_life_on: date | None = None  # the first end among runtime and OS, past or to come


def judge(detection: Detection, releases: Sequence[KnownRelease], deprecated_on: date | None, now: datetime) -> Verdict:
    """Compare the base found with the current release of its stream.

    `releases` are all known ones of that stream for that platform; `deprecated_on` is the day from which the runtime
    gets no more patches (None: no date known). End of life wins over staleness.
    """
    found = next((release for release in releases if release.id == detection.release_id), None)
    if found is None:
        return Verdict(Freshness.UNKNOWN, detection.evidence[0][:REASON_LIMIT])
    verdict = _against_current(found, releases)
    if deprecated_on is None or now.date() < deprecated_on:
        return verdict
    reason = f"{found.stream} reached its end of life on {deprecated_on:%F}. {verdict.reason}"
    return Verdict(Freshness.END_OF_LIFE, reason[:REASON_LIMIT], verdict.releases_behind, verdict.days_behind)


def _against_current(found: KnownRelease, releases: Sequence[KnownRelease]) -> Verdict:
    current = max((release for release in releases if release.current), key=lambda each: each.created_at, default=None)
    if current is None:
        reason = f"Built on {found.label}, but {found.stream} has no current release for {found.platform}."
        return Verdict(Freshness.UNKNOWN, reason)
    if current.chain_id == found.chain_id:
        return Verdict(Freshness.CURRENT, f"Built on {found.label}, the current release of {found.stream}.")
    if current.created_at < found.created_at:
        # The moving tag went back: AWS withdrew the release that this image stands on.
        reason = f"Built on {found.label}, which was withdrawn: {found.stream} is back at {current.label}."
        return Verdict(Freshness.STALE, reason)
    newer = {each.chain_id for each in releases if found.created_at < each.created_at <= current.created_at}
    behind = max(1, len(newer - {found.chain_id}))
    days = (current.created_at - found.created_at).days
    reason = f"Built on {found.label}: {_count(behind, 'release')} and {_count(days, 'day')} behind {current.label}."
    return Verdict(Freshness.STALE, reason, behind, days)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
