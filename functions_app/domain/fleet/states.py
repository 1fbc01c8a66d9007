"""What is wrong with a function, judged by the versions that calls reach: their states, images and bases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.lambda_states import UPDATES, Waiting, readiness, state_meaning, update_meaning
from functions_app.domain.images.statuses import read_status


@dataclass(frozen=True)
class Condition:
    """State and last update of one version; every one has its own. All "" where it was never read."""

    state: str = ""
    state_reason: str = ""
    state_reason_code: str = ""
    last_update_status: str = ""
    last_update_reason: str = ""
    last_update_reason_code: str = ""


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
    runtime: str = ""  # that its base brings, "" where none is known
    overdue_on: date | None = None  # the day from which its base is overdue, past or to come
    end_of_life_on: date | None = None
    image_status: str = ""  # ECR's word, "" where it told none
    condition: Condition = field(default_factory=Condition)
    unread: str = ""  # why its state and what it was deployed by are not known; "" where they are
    expiry_rule: int | None = None  # of the lifecycle policy that would delete its image, by the last forecast
    kept: bool = False  # only as a way back: whether it could be called counts, how old it is does not

    @property
    def name(self) -> str:
        """As people know it: "prod", or "$LATEST"."""
        return " and ".join(self.aliases) or self.number

    def says(self, text: str) -> str:
        """A sentence about it, with whose it is where a function has aliases."""
        return f"{self.name}, version {self.number}: {text}" if self.aliases else text


@dataclass(frozen=True)
class Trouble:
    """What is wrong, worst first by rank; rank 0 and no text where nothing is."""

    rank: int = 0
    text: str = ""


RANK_GONE, RANK_FAILED, RANK_NOT_READY, RANK_UPDATE_FAILED = 90, 80, 75, 70
RANK_ENDANGERED, RANK_DRIFTED = 65, 60
RANK_OVERDUE, RANK_END_OF_LIFE, RANK_STALE, RANK_INACTIVE = 55, 50, 40, 30
RANK_IDLE_FAILED, RANK_STRANGE_UPDATE, RANK_UNREAD, RANK_UNKNOWN = 28, 27, 25, 20
KEEP_IMAGE = "Change the rule, or tag the image so that no rule takes it."
TOLERABLE = ("", "Pending", "Inactive", "Failed")  # not ready either, and told by lines of their own


def worst(live: Sequence[LiveVersion]) -> LiveVersion | None:
    """The live version with the worst base: end of life, stale (the longest), unknown, current; None of none.

    Of several as bad the one that is more releases behind, then the oldest version. What is kept is left out.
    """
    return max(_oldest_first(called(live)), key=_badness, default=None)


def called(live: Iterable[LiveVersion]) -> list[LiveVersion]:
    """The versions that somebody calls: without those that are only kept as a way back."""
    return [version for version in live if not version.kept]


def first_overdue(live: Sequence[LiveVersion], today: date) -> LiveVersion | None:
    """The live version whose base has been overdue for the longest, of several the worst; None where none is."""
    late = [each for each in _oldest_first(called(live)) if each.overdue_on and each.overdue_on <= today]
    late.sort(key=_badness, reverse=True)  # which keeps the order of those that are as bad
    return min(late, key=lambda version: version.overdue_on or today, default=None)


def _badness(version: LiveVersion) -> tuple[int, int, int]:
    return version.freshness.severity, version.days_behind, version.releases_behind


def _oldest_first(live: Iterable[LiveVersion]) -> list[LiveVersion]:
    return sorted(live, key=lambda version: (len(version.number), version.number, version.aliases))  # 2 before 10


def worst_condition(live: Sequence[LiveVersion], idle: Condition | None = None) -> Condition:
    """How a function stands: the worst state among the versions that calls reach, and the worst last update.

    `idle`: of $LATEST where no call reaches it. Its state says nothing then, but a failed update of it does. Nor does
    it say anything that what is kept as a way back fell asleep.
    """
    awake = [version for version in live if not (version.kept and version.condition.state == "Inactive")]
    conditions = [version.condition for version in _oldest_first(awake)]
    state = max(conditions, key=lambda each: readiness(each.state), default=Condition())
    updates = [*conditions, idle] if idle else conditions
    update = max(updates, key=_unfinished, default=Condition())
    return replace(
        state,
        last_update_status=update.last_update_status,
        last_update_reason=update.last_update_reason,
        last_update_reason_code=update.last_update_reason_code,
    )


def _unfinished(condition: Condition) -> int:
    order = ("Successful", "", "InProgress")
    word = condition.last_update_status
    return len(order) + (word == "Failed") if word not in order else order.index(word)


def find_problem(
    live: Sequence[LiveVersion],
    drifted_tags: Sequence[str],
    today: date,
    idle: Condition | None = None,
    unread: str = "",
) -> Trouble:
    """The one line that says what is wrong with a function, and its rank (higher is worse). `today` is UTC's.

    An image gone under a live version, Failed, another state in which it takes no calls, a failed update, an image
    that a lifecycle policy would delete, drifted tags, a base overdue by the policy, end of life, stale, inactive,
    $LATEST failed though no call reaches it (`idle`), a last update not told or by a new word, not read (`unread`: the
    sentence on a part of the function; or a version of it), an image status or base nobody knows, a state not told.
    What is Pending or being updated is told elsewhere.
    """
    findings = _findings(live, drifted_tags, today, idle), _not_trusted(live, idle), _not_known(live, unread)
    return next(chain(*findings), Trouble())


def _findings(
    live: Sequence[LiveVersion], drifted_tags: Sequence[str], today: date, idle: Condition | None
) -> Iterator[Trouble]:
    ordered = _oldest_first(live)
    yield from _broken(ordered)
    for each in ordered:
        if each.expiry_rule is not None and not each.image_gone:
            text = f"Lifecycle rule {each.expiry_rule} will take away the image behind {each.name}. {KEEP_IMAGE}"
            yield Trouble(RANK_ENDANGERED, text)
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
    for each in ordered:
        if each.condition.state == "Inactive" and not each.kept:
            text = "Inactive: the next call is refused and wakes it, which takes up to minutes."
            yield Trouble(RANK_INACTIVE, each.says(text))
    if idle and (failure := _failure(idle)):
        yield Trouble(RANK_IDLE_FAILED, f"$LATEST, which no alias runs: {failure}")


def _not_known(live: Sequence[LiveVersion], unread: str) -> Iterator[Trouble]:
    """What nobody can say: it is told, since nothing is fine by default."""
    if unread:
        yield Trouble(RANK_UNREAD, unread)
    for each in _oldest_first(live):
        if each.unread:
            yield Trouble(RANK_UNREAD, f"{each.name}: {each.unread}")
    if strange := [each for each in live if each.image_status and read_status(each.image_status).pullable is None]:
        told = read_status(strange[0].image_status)
        yield Trouble(RANK_UNKNOWN, f"The image behind {strange[0].name} {told.state}. {told.next_step}")
    if (version := worst(live)) and version.freshness is Freshness.UNKNOWN:
        yield Trouble(RANK_UNKNOWN, f"{version.name}: {version.reason or 'the base image is unknown'}")
    for each in _oldest_first(live):
        if not each.condition.state and not each.unread:
            yield Trouble(RANK_UNKNOWN, each.says(f"{state_meaning('').says}."))


def _not_trusted(live: Sequence[LiveVersion], idle: Condition | None) -> Iterator[Trouble]:
    """Last updates that ended, or go on, in a way that nobody knows: the state above them may be good all the same."""
    for each in _oldest_first(live):
        if each.condition.state and (text := _strange_update(each.condition)):
            yield Trouble(RANK_STRANGE_UPDATE, each.says(text))
    if idle and idle.state and (text := _strange_update(idle)):
        yield Trouble(RANK_STRANGE_UPDATE, f"$LATEST, which no alias runs: {text}")


def _strange_update(condition: Condition) -> str:
    """What is to be said of a last update whose word is missing or new, "" where it is known what it means."""
    word = condition.last_update_status
    if word in UPDATES or update_meaning(word, condition.state).waiting is Waiting.DONE:
        return ""
    says = update_meaning(word, condition.state).says
    return f"Last update {word}: {says}." if word else f"{says}."


def _broken(live: Sequence[LiveVersion]) -> Iterator[Trouble]:
    """What keeps calls from being answered: an image that is gone, a state or an update that failed."""
    if gone := [version.name for version in live if version.image_gone]:
        yield Trouble(RANK_GONE, f"The image behind {', '.join(gone)} is no longer in ECR: its next cold start fails.")
    for text in _not_pullable(live):
        yield Trouble(RANK_GONE, text)
    for version in live:
        if version.condition.state_reason_code == "ImageDeleted":
            yield Trouble(
                RANK_GONE, version.says("Its image was deleted from ECR: calls fail until another one is deployed.")
            )
    for version in live:
        if version.condition.state == "Failed":
            yield Trouble(RANK_FAILED, version.says(_failure(version.condition)))
    for version in live:
        word = version.condition.state
        if word not in TOLERABLE and not state_meaning(word).ready:
            yield Trouble(RANK_NOT_READY, version.says(f"{word}: {state_meaning(word).says}."))
    for version in live:
        if version.condition.last_update_status == "Failed":
            yield Trouble(RANK_UPDATE_FAILED, version.says(_failure(version.condition)))


def _failure(condition: Condition) -> str:
    """Why a version can't be called as it should, "" where it did not fail."""
    if condition.state == "Failed":
        return f"Failed: {condition.state_reason or 'Lambda gives no reason'}"
    if condition.last_update_status == "Failed":
        return f"The last update failed: {condition.last_update_reason or 'Lambda gives no reason'}"
    return ""


def _not_pullable(live: Sequence[LiveVersion]) -> Iterator[str]:
    """What ECR lists and gives to nobody: archived images, and those it is restoring."""
    words = {version.image_status for version in live if not version.image_gone}
    for word in sorted(word for word in words if read_status(word).pullable is False):
        names = [version.name for version in live if version.image_status == word and not version.image_gone]
        status = read_status(word)
        yield f"The image behind {', '.join(names)} {status.state}; its next cold start fails. {status.next_step}"
