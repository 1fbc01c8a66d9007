"""Which tags of a repository name the earlier releases of a moving tag: versions, dates, times, build numbers.

AWS names Lambda's bases `3.12.2026.10.03.13` beside the moving `3.12`. Companies write `2026.10.03`, `1.4.2` or
`1.4.2-20261003` beside `latest`, or `stable-1.4.2` beside `stable`; Docker Hub has `3.12.7-slim` beside `3.12-slim`,
Red Hat `9.4-1227.1726694542` beside `9.4`, Bitnami `3.12.7-debian-12-r5` beside `3.12-debian-12`.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

TAGS_LIMIT = 100_000  # of one repository: what comes after them is not looked at
# What a tag's rest is made of. Other long numbers are left out: one in thirty short commit ids is all digits.
PARTS = {
    "date": r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:T?[0-9]{2}(?:[0-9]{2}){0,2})?",
    "timestamp": r"1[0-9]{9}(?:[0-9]{3})?",  # seconds or milliseconds since 1970, from 2001 to 2033
    "build": r"(?:v|r|rev|build)[.-]?[0-9]{1,6}",  # neither a candidate (rc1) nor a beta (b2)
    "number": r"[0-9]{1,6}",
}
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


def history_tags(tags: Iterable[str], moving: str, limit: int, *, own: bool = False) -> list[str]:
    """The newest tags of a moving one's releases, newest first.

    They begin with the moving tag and go on in numbers; where it names a variant (`3.12-slim`), the numbers go on
    before that, and after it. Beside the `latest` of an `own` stream, or another word for the newest, any version or
    date will do where none begins so. Tags for a single architecture (`-arm64`) and candidates are left out.
    """
    listed = list(islice(tags, TAGS_LIMIT))
    numbers = _numbered(_rests(listed, rf"{re.escape(moving)}[._-](?P<rest>.+)"))
    if not numbers and (of := _VARIANT.fullmatch(moving)):
        number, variant = re.escape(of["number"]), re.escape(of["variant"])
        numbers = _numbered(_rests(listed, rf"{number}\.(?P<rest>.+?){variant}(?P<more>[._-].+)?"))
    if not numbers and own and moving.lower() in NEWEST:
        numbers = _numbered({tag: tag for tag in listed})
    return [tag for _, tag in sorted(((key, tag) for tag, key in numbers.items()), reverse=True)[:limit]]


def _rests(tags: Iterable[str], pattern: str) -> dict[str, str]:
    compiled = re.compile(pattern)
    matches = {tag: match.groupdict() for tag in tags if (match := compiled.fullmatch(tag))}
    return {tag: found["rest"] + (found.get("more") or "") for tag, found in matches.items()}


def _numbered(rests: dict[str, str]) -> dict[str, tuple[int, ...]]:
    """The tags whose rest is all numbers, each with them, without those that move themselves: 1.4 beside 1.4.2."""
    keys = {tag: _key(rest) for tag, rest in rests.items() if _NUMBERS.fullmatch(rest)}
    longer = {key[:length] for key in keys.values() for length in range(1, len(key))}
    return {tag: key for tag, key in keys.items() if key not in longer}


def _key(rest: str) -> tuple[int, ...]:
    """Its numbers; a time as year, month, day, hour and so on, however it is written."""
    key: list[int] = []
    for match in _TIME_OR_NUMBER.finditer(rest):
        if text := match["timestamp"]:
            key += datetime.fromtimestamp(int(text[:10]), UTC).timetuple()[:6]
        elif text := match["date"]:
            digits = text.replace("T", "")
            key += [int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, len(digits), 2))]
        else:
            key.append(int(match["number"]))
    return tuple(key)
