"""How far back the releases of a stream were read by their tags, and which tags come next.

A history is read some tags at each poll, the newest first, as deep as the tags go. What was read is told tag by tag:
what is pushed later may belong anywhere between, as a fix of an older version does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from functions_app.domain.bases.release_tags import DatedTag

SHOWN = 6  # of the tags that fit, the newest
LIST_EVERY = timedelta(days=1)  # a fix of an older version moves no other tag: nothing tells of it but the list
MISSING_LIMIT = 300  # look-ups in vain that are remembered


@dataclass(frozen=True)
class Progress:
    """Where the reading of a history stands; `missing` are digests and tags that were looked up in vain.

    `read`: tags that were read, but for those that name a release, which are known by it.
    `again`: what is known of the stream counts for nothing until all was read, since more is wanted of each release.
    """

    fitting: int = 0  # tags that fit, when they were last listed
    left: int | None = None  # of those, how many were not read; None: they were never listed
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    read: frozenset[str] = frozenset()
    again: bool = False
    listed_at: datetime | None = None

    @property
    def read_count(self) -> int:
        """How many of the tags that fit have been read."""
        return self.fitting - (self.left or 0)

    @property
    def done(self) -> bool:
        """Whether every tag that was listed has been read."""
        return self.left == 0

    def to_be_listed(self, now: datetime) -> bool:
        """Whether its tags are to be listed though the moving one stands still."""
        return self.listed_at is None or not timedelta() <= now - self.listed_at < LIST_EVERY

    def listed(self, tags: Sequence[DatedTag], read: Set[str], wanted: Set[str], now: datetime) -> "Progress":
        """With the tags that fit, the newest first, and what has been read; what is gone is read again if it returns.

        `wanted` are tags that images claim: of these too nobody asks twice.
        """
        names = {each.tag for each in tags}
        left = len(names - read)
        shown = tuple(each.tag for each in tags[:SHOWN])
        kept = frozenset(read & (names | wanted))
        again = self.again and left > 0
        return replace(self, fitting=len(names), left=left, shown=shown, read=kept, again=again, listed_at=now)

    def known_by(self, names: Iterable[str]) -> "Progress":
        """Without what names a release that is known as a whole: that it was read is told by the release."""
        return self if self.again else replace(self, read=self.read.difference(names))

    def in_vain(self, names: Iterable[str]) -> "Progress":
        """With look-ups that found nothing: nobody asks again."""
        return replace(self, missing=tuple(dict.fromkeys((*self.missing, *names)))[-MISSING_LIMIT:])

    def as_json(self) -> dict[str, Any]:
        """For the column that keeps it."""
        return {
            "fitting": self.fitting,
            "left": self.left,
            "shown": list(self.shown),
            "missing": list(self.missing),
            "read": sorted(self.read),
            "again": self.again,
            "listed_at": self.listed_at.isoformat() if self.listed_at else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Progress":
        """What was kept; nothing was read where there is nothing."""
        return cls(
            kept.get("fitting", 0),
            kept.get("left"),
            tuple(kept.get("shown", ())),
            tuple(kept.get("missing", ())),
            frozenset(kept.get("read", ())),
            kept.get("again", False),
            datetime.fromisoformat(at) if (at := kept.get("listed_at")) else None,
        )


def newer(tags: Sequence[DatedTag], read: Collection[str]) -> list[DatedTag]:
    """Of tags, the newest first, those that are newer than all that was read; none where nothing was."""
    found = list(takewhile(lambda each: each.tag not in read, tags))
    return found if len(found) < len(tags) else []


NOTHING_READ, AGAIN = Progress(), Progress(again=True)
