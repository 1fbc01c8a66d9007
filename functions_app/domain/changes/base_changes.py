"""What becomes of the base when one image takes another's place: newer, older, another, unchanged, or not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.bases.freshness import Freshness

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Base:
    """The base of an image as it was judged; no stream: it is not known, and `reason` says why."""

    stream: str = ""
    release_id: int | None = None
    label: str = ""  # of the release: its dated tag
    freshness: str = Freshness.UNKNOWN.value
    reason: str = ""

    def __str__(self) -> str:
        if not self.stream:
            return "not known"
        return f"{self.stream} {self.label}" if self.label else f"{self.stream}, an unknown release"


class Step(StrEnum):
    """From one base to another."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"
    SIDEWAYS = "sideways"  # another release of the same stream, and nothing tells which is newer
    OTHER = "other"  # another stream
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class BaseChange:
    """A step, over how many releases, and its words within a sentence: "base one release newer"."""

    step: Step
    releases: int
    text: str


def base_change(before: Base, after: Base, places: Mapping[int, int]) -> BaseChange:
    """The step from one base to another; `places` has the order of their stream's releases, the oldest first."""
    if not before.stream or not after.stream:
        return BaseChange(Step.UNKNOWN, 0, "base not known")
    if before.stream != after.stream:
        return BaseChange(Step.OTHER, 0, f"another base ({after.stream} instead of {before.stream})")
    if before.release_id is None or after.release_id is None:
        return BaseChange(Step.UNKNOWN, 0, f"release of its base {after.stream} not known")
    if before.release_id == after.release_id:
        return BaseChange(Step.SAME, 0, "base unchanged")
    one, other = places.get(before.release_id), places.get(after.release_id)
    if one is None or other is None:
        return BaseChange(Step.SIDEWAYS, 0, f"another release of its base {after.stream}")
    if one == other:  # the same layers, released again
        return BaseChange(Step.SAME, 0, "base unchanged")
    step = Step.NEWER if other > one else Step.OLDER
    return BaseChange(step, abs(other - one), f"base {counted(abs(other - one), 'release')} {step.value}")


def counted(number: int, noun: str) -> str:
    """ "one release", "12 releases"."""
    return f"{_WORDS[number] if number < len(_WORDS) else number} {noun}{'' if number == 1 else 's'}"
