"""Which tags of a repository name the earlier releases of a moving tag: versions, dates, times, build numbers.

AWS names Lambda's bases `3.12.2026.10.03.13` beside the moving `3.12`. Companies write `2026.10.03`, `1.4.2` or
`1.4.2-20261003` beside `latest`, or `stable-1.4.2` beside `stable`; Docker Hub has `3.12.7-slim` beside `3.12-slim`,
Red Hat `9.4-1227.1726694542` beside `9.4`, Bitnami `3.12.7-debian-12-r5` beside `3.12-debian-12`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from functions_app.domain.bases.tag_patterns import PARTS, compiled

YEARS = 2013, 2100
TAGS_LIMIT = 100_000  # of one repository: what comes after them is not looked at
_PART = "(?:" + "|".join(PARTS.values()) + ")"
_NUMBERS = re.compile(rf"{_PART}(?:[._T-]{_PART}){{0,7}}")
_TIME_OR_NUMBER = re.compile(
    rf"(?<![0-9])(?:(?P<date>{PARTS['date']})|(?P<timestamp>{PARTS['timestamp']})|(?P<number>[0-9]{{1,6}}))(?![0-9])"
)
_VARIANT = re.compile(r"(?P<number>v?[0-9]{1,6}(?:\.[0-9]{1,6}){0,3})(?P<variant>-[A-Za-z][\w.-]*)")
# Beside any other word, such as `bookworm` or `slim`, plain versions may well be those of another variant.
NEWEST = frozenset(
    {"latest", "stable", "current", "main", "master", "trunk", "release", "prod", "production", "live", "golden"}
)
Key = tuple[int, ...]


class DatedTag(NamedTuple):
    """A tag that names a release, with what orders it: its numbers and times."""

    key: Key
    tag: str


@dataclass(frozen=True)
class TagRule:
    """Which tags of a repository name the releases of a moving tag.

    They begin with the moving tag and go on in numbers; where it names a variant (`3.12-slim`), the numbers go on
    before that, and after it. Beside the `latest` of an `own` stream, or another word for the newest, any version or
    date will do where none begins so. Tags for a single architecture (`-arm64`) and candidates are left out. With a
    `pattern` (tag_patterns) that alone decides.
    """

    moving: str
    own: bool = False
    pattern: str = ""

    def history(self, tags: Iterable[str]) -> list[DatedTag]:
        """The tags of the releases, the newest first."""
        listed = list(islice((tag for tag in tags if tag != self.moving), TAGS_LIMIT))
        for form in self._forms:
            keys = {tag: key for tag in listed if (key := _key_by(form, tag)) is not None}
            # Without those that move themselves: 1.4 beside 1.4.2.
            longer = {key[:length] for key in keys.values() for length in range(1, len(key))}
            if found := [DatedTag(key, tag) for tag, key in keys.items() if key not in longer]:
                return sorted(found, reverse=True)
        return []

    def names(self, tag: str) -> bool:
        """Whether a tag by itself looks like one of a release, where its neighbours are not known."""
        return tag != self.moving and any(_key_by(form, tag) is not None for form in self._forms)

    @cached_property
    def _forms(self) -> Sequence[re.Pattern[str]]:
        """What is tried in turn, until tags of one form are found."""
        if self.pattern:
            return (compiled(self.pattern),)
        moving = re.escape(self.moving)
        forms = [rf"{moving}[._-](?P<rest>.+)"]
        if of := _VARIANT.fullmatch(self.moving):
            number, variant = re.escape(of["number"]), re.escape(of["variant"])
            forms.append(rf"{number}\.(?P<rest>.+?){variant}(?P<more>[._-].+)?")
        if self.own and self.moving.lower() in NEWEST:
            forms.append(r"(?P<rest>.+)")
        return [re.compile(form) for form in forms]


def history_tags(tags: Iterable[str], moving: str, limit: int, *, own: bool = False, pattern: str = "") -> list[str]:
    """The newest tags of a moving one's releases, newest first."""
    return [each.tag for each in TagRule(moving, own, pattern).history(tags)[:limit]]


def _key_by(form: re.Pattern[str], tag: str) -> Key | None:
    """What orders a tag of this form; None for a tag of another."""
    match = form.fullmatch(tag)
    if match is None:
        return None
    found = match.groupdict()
    if "rest" not in found:  # a pattern's own parts, of which each is what it has to be
        return _key(" ".join(text for text in found.values() if text))
    rest = found["rest"] + (found.get("more") or "")
    return _key(rest) if _NUMBERS.fullmatch(rest) else None


def _key(text: str) -> Key:
    """Its numbers; a time as year, month, day, hour and so on, however it is written."""
    key: list[int] = []
    for match in _TIME_OR_NUMBER.finditer(text):
        if stamp := match["timestamp"]:
            key += datetime.fromtimestamp(int(stamp[:10]), UTC).timetuple()[:6]
        elif day := match["date"]:
            digits = day.replace("T", "")
            key += [int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, len(digits), 2))]
        else:
            key.append(int(match["number"]))
    return tuple(key)


def newest_before(tags: Sequence[DatedTag], moment: datetime, count: int) -> list[DatedTag]:
    """Of tags that tell a day, the newest first, those that came last before this moment."""
    limit = tuple(moment.timetuple()[:6])
    dated = [each for each in tags if (day := _day(each.key)) and day <= limit[: len(day)]]
    return dated[:count]


def _day(key: Key) -> Key:
    """The time within a key, from its year on; empty where it tells none."""
    for at, year in enumerate(key):
        if YEARS[0] <= year <= YEARS[1] and len(key) >= at + 3 and 1 <= key[at + 1] <= 12 and 1 <= key[at + 2] <= 31:
            return key[at : at + 6]
    return ()
