"""The tag of a rebased image: whose it was, of which day its base is, and what it holds. It never moves."""

import re
from datetime import UTC, datetime

from functions_app.domain.refs import is_tag

LONGEST = 128  # characters, by distribution-spec
UNTAGGED = "img"
LENGTHS = (8, 12, 16, 24, 32, 64)  # digits of the digest: more where a tag with fewer names another image
_EARLIER = re.compile(rf"(?:-base-[0-9]{{8}}-(?:{'|'.join(f'[0-9a-f]{{{length}}}' for length in LENGTHS)}))+$")


def is_rebased(tag: str) -> bool:
    """Whether it is such a tag: of an image that a patch has pushed, and nobody has built."""
    return _EARLIER.search(tag) is not None


def rebased_tag(tag: str, released: datetime, digest: str) -> str:
    """`<tag>-base-<yyyymmdd>-<digest8>`; an earlier such end is replaced, and the beginning cut where it is too long.

    `released` is the base release's own day, not today: who goes on after midnight finds the same tag.
    """
    beginning = _EARLIER.sub("", tag) if is_tag(tag) else UNTAGGED
    return _cut(beginning, f"-base-{released.astimezone(UTC):%Y%m%d}-{digest.rpartition(':')[2][: LENGTHS[0]]}")


def longer_tags(tag: str, digest: str) -> tuple[str, ...]:
    """What `rebased_tag` gave, then the same with ever more digits of the digest: the last is nobody else's."""
    beginning, hexes = tag[: -LENGTHS[0]], digest.rpartition(":")[2]
    head, mark, day = beginning.rpartition("-base-")
    return tuple(_cut(head, f"{mark}{day}{hexes[:length]}") for length in LENGTHS)


def _cut(beginning: str, end: str) -> str:
    return beginning[: LONGEST - len(end)] + end
