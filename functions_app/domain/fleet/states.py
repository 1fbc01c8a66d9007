"""What is wrong with a function, judged by its state and by what its aliases run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.images.statuses import read_status


@dataclass(frozen=True)
class LiveVersion:
    """A version that is in use: by aliases, or $LATEST where a function has none; with the verdict on its image."""

    number: str
    aliases: tuple[str, ...]
    image_gone: bool
    freshness: Freshness
    reason: str = ""
    releases_behind: int = 0
    days_behind: int = 0
    base: str = ""
    overdue_on: date | None = None  # the day from which its base is overdue, past or to come
    end_of_life_on: date | None = None
    image_status: str = ""  # ECR's word, "" where it told none

    @property
    def name(self) -> str:
        """As people know it: "prod", or "$LATEST"."""
        return " and ".join(self.aliases) or self.number


@dataclass(frozen=True)
class Condition:
    """What GetFunction says of a function, "" where it was never read."""

    state: str = ""
    state_reason: str = ""
    state_reason_code: str = ""
    last_update_status: str = ""
    last_update_reason: str = ""
    unread: str = ""  # the sentence on what of it could not be read: domain.fleet.parts


@dataclass(frozen=True)
class Trouble:
    """What is wrong, worst first by rank; rank 0 and no text where nothing is."""

    rank: int = 0
    text: str = ""


RANK_GONE, RANK_FAILED, RANK_UPDATE_FAILED, RANK_DRIFTED = 90, 80, 70, 60
RANK_OVERDUE, RANK_END_OF_LIFE, RANK_STALE, RANK_INACTIVE, RANK_UNREAD, RANK_UNKNOWN = 55, 50, 40, 30, 25, 20


def worst(live: Sequence[LiveVersion]) -> LiveVersion | None:
    """The live version with the worst base: end of life, stale (the longest), unknown, current; None of none.

    Of several as bad the one that is more releases behind, then the oldest version.
    """
    return max(_oldest_first(live), key=_badness, default=None)


def first_overdue(live: Sequence[LiveVersion], today: date) -> LiveVersion | None:
    """The live version whose base has been overdue for the longest, of several the worst; None where none is."""
    late = [version for version in _oldest_first(live) if version.overdue_on and version.overdue_on <= today]
    late.sort(key=_badness, reverse=True)  # which keeps the order of those that are as bad
    return min(late, key=lambda version: version.overdue_on or today, default=None)


def _badness(version: LiveVersion) -> tuple[int, int, int]:
    return version.freshness.severity, version.days_behind, version.releases_behind


def _oldest_first(live: Iterable[LiveVersion]) -> list[LiveVersion]:
    return sorted(live, key=lambda version: (len(version.number), version.number, version.aliases))  # 2 before 10


def find_problem(
    condition: Condition, live: Sequence[LiveVersion], drifted_tags: Sequence[str], today: date
) -> Trouble:
    """The one line that says what is wrong with a function, and its rank (higher is worse). `today` is UTC's.

    An image gone under a live version, Failed, a failed update, drifted tags, a base overdue by the policy, end of
    life, stale, inactive, not read, unknown.
    """
    return next(_findings(condition, live, drifted_tags, today), Trouble())


def _findings(
    condition: Condition, live: Sequence[LiveVersion], drifted_tags: Sequence[str], today: date
) -> Iterator[Trouble]:
    if gone := [version.name for version in live if version.image_gone]:
        yield Trouble(RANK_GONE, f"The image behind {', '.join(gone)} is no longer in ECR: its next cold start fails.")
    for text in _not_pullable(live):
        yield Trouble(RANK_GONE, text)
    if condition.state_reason_code == "ImageDeleted":
        yield Trouble(RANK_GONE, "Its image was deleted from ECR: calls fail until another one is deployed.")
    if condition.state == "Failed":
        yield Trouble(RANK_FAILED, f"Failed: {condition.state_reason or 'Lambda gives no reason'}")
    if condition.last_update_status == "Failed":
        why = condition.last_update_reason or "Lambda gives no reason"
        yield Trouble(RANK_UPDATE_FAILED, f"The last update failed: {why}")
    if drifted_tags:
        tags = "Tag" if len(drifted_tags) == 1 else "Tags"
        yield Trouble(
            RANK_DRIFTED, f"{tags} {', '.join(drifted_tags)} moved since the deploy: it still runs the old image."
        )
    if late := first_overdue(live, today):
        yield Trouble(RANK_OVERDUE, f"{late.name}: overdue since {late.overdue_on:%F}. {late.reason}")
    if (version := worst(live)) and version.freshness in (Freshness.END_OF_LIFE, Freshness.STALE):
        rank = RANK_END_OF_LIFE if version.freshness is Freshness.END_OF_LIFE else RANK_STALE
        yield Trouble(rank, f"{version.name}: {version.reason}")
    if condition.state == "Inactive":
        yield Trouble(RANK_INACTIVE, "Inactive: the next call is refused and wakes it, which takes up to minutes.")
    if condition.unread:
        yield Trouble(RANK_UNREAD, condition.unread)
    if strange := [each for each in live if each.image_status and read_status(each.image_status).pullable is None]:
        told = read_status(strange[0].image_status)
        yield Trouble(RANK_UNKNOWN, f"The image behind {strange[0].name} {told.state}. {told.next_step}")
    if version and version.freshness is Freshness.UNKNOWN:
        yield Trouble(RANK_UNKNOWN, f"{version.name}: {version.reason or 'the base image is unknown'}")


def _not_pullable(live: Sequence[LiveVersion]) -> Iterator[str]:
    """What ECR lists and gives to nobody: archived images, and those it is restoring."""
    words = {version.image_status for version in live if not version.image_gone}
    for word in sorted(word for word in words if read_status(word).pullable is False):
        names = [version.name for version in live if version.image_status == word and not version.image_gone]
        status = read_status(word)
        yield f"The image behind {', '.join(names)} {status.state}; its next cold start fails. {status.next_step}"
