"""Which base image is in an image? Answered from its layers alone, with the evidence (base-images: detection)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

BASE_NAME = "org.opencontainers.image.base.name"


class Tier(StrEnum):
    """How sure a detection is, surest first."""

    EXACT = "exact"  # the image begins with all layers of a known release, on the same platform
    ANNOTATION = "annotation"
    PARTIAL = "partial"
    HEURISTIC = "heuristic"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class KnownRelease:
    """A release of a base stream for one platform, known by its top chain id."""

    id: int
    stream: str
    platform: str
    chain_id: str
    diff_ids: tuple[str, ...]
    created_at: datetime
    current: bool
    tag: str = ""

    @property
    def label(self) -> str:
        """As people write it: the dated tag where known, else the stream and the day it was built."""
        return f"{self.stream.partition(':')[0]}:{self.tag}" if self.tag else f"{self.stream} of {self.created_at:%F}"


@dataclass(frozen=True)
class Detection:
    """The base found, or none; the evidence is sentences, the most telling first, and is never empty."""

    tier: Tier
    release_id: int | None
    evidence: tuple[str, ...]
    stream: str = ""  # also where only the stream is known, not the release
    lineage: tuple[int, ...] = ()  # every whole release beneath it, the nearest first (release_id among them)


Lookup = Callable[[Sequence[str]], Mapping[str, tuple[KnownRelease, ...]]]


def detect(
    chains: Sequence[str],
    platform: str,
    annotations: Mapping[str, str],
    lookup: Lookup,
    *,
    streams_watched: int,
) -> Detection:
    """Find the longest prefix of the image that is a whole known release for its platform. One lookup.

    `chains` are the image's chain ids from the bottom layer up (images.chain_ids). Where releases of several streams
    have the same layers, the current one is taken, then the newest.
    """
    known = lookup(chains)
    foreign: KnownRelease | None = None
    for count in range(len(chains), 0, -1):
        found = known.get(chains[count - 1], ())
        fitting = [release for release in found if release.platform == platform]
        if fitting:
            best = max(fitting, key=lambda release: (release.current, release.created_at, -release.id))
            others = sorted({release.stream for release in fitting} - {best.stream})
            return Detection(Tier.EXACT, best.id, _proof(best, count, len(chains), others))
        foreign = foreign or (found[0] if found else None)
    return unknown(_nothing_found(len(chains), streams_watched), *_hints(foreign, platform, annotations))


def unknown(*evidence: str) -> Detection:
    """No base found; the evidence says what was looked at, or why nothing could be."""
    return Detection(Tier.UNKNOWN, None, evidence)


REPOSITORY_NOT_READ = "Its image is in a repository that Drydock does not read."


def not_read(*, platforms: Sequence[str] | None, gone: bool, problem: str) -> str:
    """Why nothing is known of an image's layers. `platforms` are those of an index, None for an image."""
    if platforms is not None:
        held = ", ".join(platforms) or "no image"
        return f"This is an index ({held}), not an image: a base belongs to each image in it."
    if gone:
        return "It was deleted from ECR before Drydock could read its config."
    if problem:
        return f"Its config could not be read: {problem}"
    return "Its config has not been read yet."


def _proof(release: KnownRelease, count: int, total: int, others: Sequence[str]) -> tuple[str, ...]:
    which = f"All {total} of its layers" if count == total else f"The first {count} of its {total} layers"
    sentences = [
        f"{which} are, whole and in order, the release {release.label} for {release.platform}.",
        f"Chain id {release.chain_id[:19]}.",
    ]
    if others:
        sentences.append(f"The same layers are a release of {', '.join(others)} too.")
    return tuple(sentences)


def _nothing_found(layers: int, streams_watched: int) -> str:
    if not streams_watched:
        return "No base stream has been read yet, so there is nothing to compare its layers with."
    if not layers:
        return "Its config names no layers."
    noun = "1 stream" if streams_watched == 1 else f"{streams_watched} streams"
    chains = "The chain id of its one layer is no" if layers == 1 else f"None of its {layers} layers' chain ids is a"
    return f"{chains} known release of the {noun} watched."


def _hints(foreign: KnownRelease | None, platform: str, annotations: Mapping[str, str]) -> list[str]:
    hints = []
    if foreign:
        hints.append(f"Its layers are those of {foreign.label} for {foreign.platform}, but it says {platform}.")
    if named := annotations.get(BASE_NAME):
        hints.append(f"It says that it was built on {named[:120]}; that alone proves nothing.")
    return hints
