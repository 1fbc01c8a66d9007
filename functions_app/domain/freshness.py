"""Is the base of an image current? CURRENT, STALE, END_OF_LIFE or UNKNOWN, always with the reason."""

from enum import StrEnum


class Freshness(StrEnum):
    """The verdict on an image's base; UNKNOWN is neither good nor bad and says why."""

    CURRENT = "current"
    STALE = "stale"
    END_OF_LIFE = "end_of_life"
    UNKNOWN = "unknown"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Value and the words people read, for a model field."""
        return [(item.value, item.value.replace("_", " ")) for item in cls]
