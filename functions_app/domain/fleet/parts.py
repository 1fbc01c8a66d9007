"""What of a function is read by calls of its own: each part has its age, and what kept it from being read last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from functions_app.domain.errors import Problem

TOGETHER = timedelta(minutes=1)  # parts read within it are of one reading


class Part(StrEnum):
    """A part of a function, in the order that people read them in.

    The last four are within an answer that tells the rest: AWS puts an error in their place.
    """

    SETTINGS = "settings"  # ListFunctions
    DETAILS = "details"  # GetFunction
    ALIASES = "aliases"  # ListAliases
    ENVIRONMENT = "environment"
    IMAGE_SETTINGS = "image_settings"
    IMAGE_URI = "image_uri"
    TAGS = "tags"

    @property
    def words(self) -> str:
        """As pages name it."""
        return _WORDS[self]


_WORDS = {
    Part.SETTINGS: "settings",
    Part.DETAILS: "state and tags",
    Part.ALIASES: "aliases",
    Part.ENVIRONMENT: "environment",
    Part.IMAGE_SETTINGS: "image settings",
    Part.IMAGE_URI: "image URI",
    Part.TAGS: "tags",
}
LISTED = (Part.ENVIRONMENT, Part.IMAGE_SETTINGS)  # within the settings
DETAILED = (Part.IMAGE_URI, Part.TAGS)  # within the details


@dataclass(frozen=True)
class PartAge:
    """One part: when it was read last (None: never), and why the last attempt did not get it."""

    part: Part
    read_at: datetime | None
    problem: Problem | None = None

    @property
    def missing(self) -> bool:
        """Whether the last attempt failed, or nothing of it was ever read."""
        return self.problem is not None or self.read_at is None


def ages(read: Iterable[tuple[Part, datetime | None]], missed: Mapping[str, Mapping[str, Any]]) -> tuple[PartAge, ...]:
    """The parts with what is kept of their last failures: {part: {problem, tried_at}}.

    Of a part within another only a failure is kept, with when it was known last: {..., known_at}.
    """
    found = []
    for part, at in read:
        kept = missed.get(part, {}).get("problem")
        found.append(PartAge(part, at, Problem.from_json(kept) if kept else None))
    for part in (*LISTED, *DETAILED):
        if entry := missed.get(part):
            known_at = entry.get("known_at")
            at = datetime.fromisoformat(known_at) if known_at else None
            found.append(PartAge(part, at, Problem.from_json(entry["problem"])))
    return tuple(found)


def oldest(parts: Iterable[PartAge]) -> datetime | None:
    """When the oldest part was read; None where one never was."""
    times = [part.read_at for part in parts]
    return None if None in times else min((at for at in times if at), default=None)


def read_together(parts: Iterable[PartAge]) -> bool:
    """Whether one age tells that of all parts."""
    every = list(parts)
    times = [part.read_at for part in every if part.read_at]
    if any(part.missing for part in every):
        return False
    return not times or max(times) - min(times) <= TOGETHER


def unread(parts: Iterable[PartAge]) -> str:
    """The sentence on the first part that is missing; "" where all were read."""
    part = next((part for part in parts if part.missing), None)
    if part is None:
        return ""
    begun = "could not be read" if part.read_at is None else "could not be read again"
    why = part.problem.cause if part.problem else ""
    name = f"{part.part.words[0].upper()}{part.part.words[1:]}"
    return f"{name} {begun}: {why}" if why else f"{name} not read yet."
