"""How far back the releases of a stream were read by their tags, and which tags come next.

A history is read from its newest tag backwards, some tags at each poll, as deep as the tags go. What was read is one
stretch, from `oldest` to `newest`: newer tags are joined to it from below, so that no poll that breaks off leaves a
gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions_app.domain.bases.release_tags import DatedTag

SHOWN = 6  # of the tags that fit, the newest
MISSING_LIMIT = 300  # look-ups in vain that are remembered


@dataclass(frozen=True)
class Progress:
    """Where the reading of a history stands; `missing` are digests and tags that were looked up in vain.

    `again`: what is known of the stream counts for nothing until all was read, since more is wanted of each release.
    """

    newest: DatedTag | None = None
    oldest: DatedTag | None = None
    fitting: int = 0  # tags that fit, when they were last listed
    left: int | None = None  # of those, how many were not read; None: they were never listed
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    again: bool = False

    @property
    def read_count(self) -> int:
        """How many of the tags that fit have been read."""
        return self.fitting - (self.left or 0)

    @property
    def done(self) -> bool:
        """Whether every tag that was listed has been read."""
        return self.left == 0

    def newer(self, listed: Sequence[DatedTag]) -> list[DatedTag]:
        """Of the tags listed, the newest first, those that came since, in the order to read them: the oldest first."""
        return [each for each in reversed(listed) if self.newest and each > self.newest]

    def older(self, listed: Sequence[DatedTag]) -> list[DatedTag]:
        """Those that were not reached yet, the newest first."""
        return [each for each in listed if self.oldest is None or each < self.oldest]

    def read(self, tag: DatedTag) -> "Progress":
        """With this one, which is next to those read."""
        return replace(self, newest=max(tag, self.newest or tag), oldest=min(tag, self.oldest or tag))

    def listed(self, tags: Sequence[DatedTag]) -> "Progress":
        """With what is left of the tags that fit, the newest first."""
        left = len(self.newer(tags)) + len(self.older(tags))
        shown = tuple(each.tag for each in tags[:SHOWN])
        return replace(self, fitting=len(tags), left=left, shown=shown, again=self.again and left > 0)

    def in_vain(self, names: Iterable[str]) -> "Progress":
        """With look-ups that found nothing: nobody asks again."""
        return replace(self, missing=tuple(dict.fromkeys((*self.missing, *names)))[-MISSING_LIMIT:])

    def as_json(self) -> dict[str, Any]:
        """For the column that keeps it."""
        ends = {"newest": self.newest, "oldest": self.oldest}
        told = {name: [list(end.key), end.tag] for name, end in ends.items() if end}
        counts = {"fitting": self.fitting, "left": self.left, "shown": list(self.shown), "missing": list(self.missing)}
        return {**told, **counts, "again": self.again}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Progress":
        """What was kept; nothing was read where there is nothing."""

        def end(name: str) -> DatedTag | None:
            return DatedTag(tuple(kept[name][0]), kept[name][1]) if name in kept else None

        return cls(
            end("newest"),
            end("oldest"),
            kept.get("fitting", 0),
            kept.get("left"),
            tuple(kept.get("shown", ())),
            tuple(kept.get("missing", ())),
            kept.get("again", False),
        )


NOTHING_READ, AGAIN = Progress(), Progress(again=True)
