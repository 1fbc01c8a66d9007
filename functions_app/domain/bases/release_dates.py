"""When a release came about: when it was built, where that can be believed, else when it was pushed or first seen.

Reproducible builds tell no time, one and the same for ever (SOURCE_DATE_EPOCH), or one of long ago; a wrong clock tells
one to come. What came later must be newer all the same, and a stale image needs a day from which it is stale.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2013, 3, 20, tzinfo=UTC)  # Docker was shown to the public: no image is older
AHEAD = timedelta(days=1)  # by which the clock of a build may be wrong
BEFORE = timedelta(microseconds=1)  # what is older by its tag alone


@dataclass(frozen=True)
class Sighting:
    """A release of one stream and platform as it was seen."""

    built: datetime | None  # as its config tells
    came: datetime  # pushed, or else first seen
    at: datetime | None = None  # when it came about, as worked out before; None for one that is new
    current: bool = False
    returned: datetime | None = None  # when the tag last came back to it
    rank: int | None = None  # 0 for the newest by its tag; None where no tag tells


def told(built: datetime | None, came: datetime) -> datetime | None:
    """When an image was built as it says itself, unless that cannot be: before all images, or after it was there."""
    return built if built and EARLIEST <= built <= came + AHEAD else None


def believed(built: datetime | None, at: datetime) -> datetime | None:
    """The time of building of a release that came about at `at`; None where that is by when it was there."""
    return built if built == at else None


def came_about(track: Sequence[Sighting]) -> tuple[datetime, ...]:
    """When each of these releases of one stream and platform came about, in the order given.

    A time that two of them tell was nobody's time of building. One that became current after others was built after
    them, whatever it says. Those that no time orders are ordered by their tags.
    """
    counts = Counter(each.built for each in track)
    latest = max((each.returned or each.at for each in track if each.at), default=None)
    found: dict[int, datetime] = {}
    newer: datetime | None = None  # of those ranked, the oldest so far
    for number in sorted(range(len(track)), key=lambda number: _rank(track[number])):
        each = track[number]
        found[number] = _when(each, newer, latest, shared=bool(each.built) and counts[each.built] > 1)
        if each.rank is not None:
            newer = min(found[number], newer or found[number])
    return tuple(found[number] for number in range(len(track)))


def _rank(each: Sighting) -> tuple[bool, int]:
    return each.rank is None, each.rank or 0


def _when(each: Sighting, newer: datetime | None, latest: datetime | None, *, shared: bool) -> datetime:
    if each.at and not (shared and each.at == each.built):
        return each.at
    built = None if shared else told(each.built, each.came)
    if built and not (each.current and latest and built <= latest):
        return built
    return min(each.came, newer - BEFORE) if newer and each.rank is not None else each.came
