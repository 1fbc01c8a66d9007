"""The tag of a rebased image: whose it was, of which day its base is, and what it holds. It never moves."""

import re
from datetime import UTC, datetime

from functions_app.domain.refs import is_tag

LONGEST = 128  # characters, by distribution-spec
UNTAGGED = "img"
_EARLIER = re.compile(r"(?:-base-[0-9]{8}-[0-9a-f]{8})+$")


def rebased_tag(tag: str, released: datetime, digest: str) -> str:
    """`<tag>-base-<yyyymmdd>-<digest8>`; an earlier such end is replaced, and the beginning cut where it is too long.

    `released` is the base release's own day, not today: who goes on after midnight finds the same tag.
    """
    end = f"-base-{released.astimezone(UTC):%Y%m%d}-{digest.rpartition(':')[2][:8]}"
    beginning = _EARLIER.sub("", tag) if is_tag(tag) else UNTAGGED
    return beginning[: LONGEST - len(end)] + end
