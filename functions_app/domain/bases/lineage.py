"""What is known of base releases, and the levels that an image stands on: a golden image, the AWS base beneath it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class KnownRelease:
    """A release of a base stream for one platform, known by its top chain id."""

    id: int
    stream: str
    platform: str
    chain_id: str
    diff_ids: tuple[str, ...]
    created_at: datetime  # when it came about: release_dates
    current: bool
    tag: str = ""
    manifest_digest: str = ""
    index_digest: str = ""
    first_seen_at: datetime | None = None
    own: bool = False  # of a company's stream: with the layers of one of Lambda's it is a copy of that
    returned_at: datetime | None = None  # when the moving tag last came back to it from a newer one

    @property
    def label(self) -> str:
        """As people write it: the dated tag where known, else the stream and the day it came about."""
        return f"{self.stream.rpartition(':')[0]}:{self.tag}" if self.tag else f"{self.stream} of {self.created_at:%F}"


@dataclass(frozen=True)
class Level:
    """A whole known release that the lowest `layers` layers of an image are, in order.

    Where only an annotation names the base, they are the layers of that base, which are not in the image.
    `twins` are releases of other streams with exactly these layers.
    """

    release: KnownRelease
    layers: int
    twins: tuple[KnownRelease, ...] = ()

    @property
    def streams(self) -> tuple[str, ...]:
        """Every stream that has these layers as a release, the one chosen first."""
        return self.release.stream, *(twin.stream for twin in self.twins)


@dataclass(frozen=True)
class Named:
    """What a base's name leads to: a stream that is watched, and the release where the name is that of its tag.

    `tag`: one that is of no known release, although it looks like a release's.
    """

    stream: str = ""
    releases: tuple[KnownRelease, ...] = ()
    tag: str = ""


@dataclass(frozen=True)
class SharedLayers:
    """Layers (diff ids) that an image has in common with the releases of a stream for its platform.

    `own` are those among them that no other stream brought in: not the OS layer of many, nor what a golden image
    inherited from the base beneath it.
    """

    layers: frozenset[str]
    own: frozenset[str]


class Releases(Protocol):
    """The known releases of all streams that are watched, ready for look-ups."""

    @property
    def streams_watched(self) -> int:
        """How many streams have been read at least once."""

    def by_chain(self, chains: Sequence[str]) -> Mapping[str, tuple[KnownRelease, ...]]:
        """The releases, for any platform, whose top chain id is one of these."""

    def by_digest(self, digest: str) -> tuple[KnownRelease, ...]:
        """The releases whose manifest or index has this digest."""

    def by_reference(self, name: str) -> Named:
        """The stream or release that people call HOST/REPOSITORY:TAG."""

    def sharing(self, diff_ids: Sequence[str], platform: str) -> Mapping[str, SharedLayers]:
        """By stream: which of these layers its releases for the platform have."""


def find_levels(
    chains: Sequence[str], platform: str, known: Mapping[str, tuple[KnownRelease, ...]], named: str = ""
) -> tuple[Level, ...]:
    """Every prefix of the chain that is a whole known release for the platform, the nearest (longest) first.

    Where releases of several streams have the same layers, one stands for the level: one of Lambda's own, since what
    a company only copied is as old as the original, then that of the stream `named` by the image itself, then a
    current one, then the newest. A team that builds on `python:3.12` is up to date although
    the same layers are an old release of `python:latest` by now, and of two streams nobody can tell which is followed
    unless the image says it; its layers then confirm what it says.
    """
    levels = []
    for count in range(len(chains), 0, -1):
        fitting = [release for release in known.get(chains[count - 1], ()) if release.platform == platform]
        if fitting:
            fitting.sort(
                key=lambda each: (not each.own, each.stream == named, each.current, each.created_at, -each.id),
                reverse=True,
            )
            levels.append(Level(fitting[0], count, tuple(fitting[1:])))
    return tuple(levels)
