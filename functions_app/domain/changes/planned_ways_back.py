"""Whether a change that is planned has a way back: only to a published version whose image ECR still has. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST


class Held(StrEnum):
    """Whether ECR has an image, so that Lambda can pull it."""

    THERE = "there"
    ARCHIVED = "archived"  # can't be pulled until it is restored
    GONE = "gone"
    UNKNOWN = "unknown"  # ECR did not tell


@dataclass(frozen=True)
class ImageNow:
    """What ECR says of an image now; `why` is a sentence where it is not there."""

    held: Held = Held.UNKNOWN
    why: str = ""


@dataclass(frozen=True)
class Behind:
    """A version with the image behind it; `shared` is its share of an alias's calls."""

    version: str
    digest: str
    image: ImageNow
    shared: float = 1.0


@dataclass(frozen=True)
class PlannedWayBack:
    """What could be done to undo a change later: `version` is where the alias could go, '' for nowhere.

    `sure`: False where there is none or nobody knows; the sentence says which.
    """

    version: str
    sure: bool
    text: str
    none: bool = False  # there is no way back at all

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PlannedWayBack":
        """Read what `dataclasses.asdict` made of it."""
        return cls(**value)


def planned_way_back(
    alias: str, before: AliasState, behind: Sequence[Behind], twins: Sequence[Behind]
) -> PlannedWayBack:
    """The way back from a change of an alias: to the version that has most of its calls now, unless its image is lost.

    `behind` are the versions it runs now; `twins` published versions with the digest that $LATEST has now, which is
    what remains of an alias on $LATEST: what that is then, it is not now.
    """
    if not before.exists:
        return PlannedWayBack("", True, f"{alias} is new: delete it in Lambda to undo. The published version stays.")
    if before.version in (LATEST, PUBLISHED_LATEST):
        return _from_latest(alias, before.version, twins)
    ordered = sorted(behind, key=lambda one: -one.shared)
    for one in ordered:
        if one.image.held in (Held.THERE, Held.UNKNOWN):
            return _to(alias, before, one, ordered)
    why = " ".join(dict.fromkeys(one.image.why for one in ordered if one.image.why))
    if archived := next((one for one in ordered if one.image.held is Held.ARCHIVED), None):
        text = f"There is no way back until the image of version {archived.version} is restored in ECR. {why}"
        return PlannedWayBack("", False, text.strip(), none=True)
    return PlannedWayBack("", False, f"There is no way back to {before}. {why}".strip(), none=True)


def _to(alias: str, before: AliasState, one: Behind, behind: Sequence[Behind]) -> PlannedWayBack:
    split = f" alone: a rollback does not restore the split ({before})" if before.second_version else ""
    text = f"Roll {alias} back to version {one.version}{split}."
    if one.image.held is Held.UNKNOWN:
        sure = next((f" The image of version {two.version} is there." for two in behind if _is_there(two)), "")
        return PlannedWayBack(one.version, False, _doubted(text, one) + sure)
    return PlannedWayBack(one.version, True, text)


def _from_latest(alias: str, latest: str, twins: Sequence[Behind]) -> PlannedWayBack:
    # They have one digest: which of them is taken makes no difference but to what is known.
    for one in sorted(twins, key=_is_there, reverse=True):
        if one.image.held in (Held.THERE, Held.UNKNOWN):
            text = f"Roll {alias} back to version {one.version}, which has the image that {latest} runs now."
            text = f"{text} Its configuration may differ."
            return PlannedWayBack(one.version, _is_there(one), text if _is_there(one) else _doubted(text, one))
    text = f"There is no way back: {alias} points to {latest}, and no published version has the image it runs now."
    if twins:
        text = f"There is no way back: {alias} points to {latest}, and the image that it runs now can't be pulled. "
        text += next((one.image.why for one in twins if one.image.why), "")
    return PlannedWayBack("", False, f"{text.strip()} Publish a version first, and point {alias} to it.", none=True)


def _is_there(one: Behind) -> bool:
    return one.image.held is Held.THERE


def _doubted(text: str, one: Behind) -> str:
    return f"{text} Whether its image is there is not known. {one.image.why}".strip()
