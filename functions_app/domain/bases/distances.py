"""How far apart the bases of two images are, in words."""

from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.text import counted


@dataclass(frozen=True)
class Stand:
    """What an image stands on. `release` None: the stream alone is known; `at`: when the release came about."""

    stream: str
    release: int | None
    at: datetime | None = None


def apart(old: Stand | None, new: Stand | None, releases: int) -> str:
    """One sentence; `releases` are those of the stream that came between, the later one counted."""
    if old is None or new is None:
        of = "neither" if old is new else "the first" if old is None else "the second"
        known = "is" if old is new else "is not"
        return f"Of {of} image a base {known} known, so nobody knows how far apart they are."
    if old.stream != new.stream:
        return f"They stand on different bases: {old.stream} and {new.stream}."
    if old.release is None or new.release is None:
        return f"Both stand on {old.stream}; on which of its releases is not known of both."
    if old.release == new.release:
        return f"Both stand on the same release of {old.stream}."
    if not (old.at and new.at):
        return f"They stand on two releases of {old.stream}, of which nobody knows how far apart they are."
    days = abs((new.at - old.at).days)
    way = "a newer" if new.at >= old.at else "an older"
    far = f"{counted(releases, 'release')}, {counted(days, 'day')}"
    return f"The second stands on {way} release of {old.stream}: {far}."
