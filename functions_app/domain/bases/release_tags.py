"""Which tags of a repository name the earlier releases of a moving tag: dated ones, versions, both together.

AWS names Lambda's bases `3.12.2026.10.03.13` beside the moving `3.12`. Companies write `2026.10.03`, `1.4.2` or
`1.4.2-20261003` beside `latest`, or `stable-1.4.2` beside `stable`; Docker Hub has `3.12.7-slim` beside `3.12-slim`.
"""

import re
from collections.abc import Iterable
from itertools import islice

TAGS_LIMIT = 100_000  # of one repository: what comes after them is not looked at
_PART = r"(?:[0-9]{1,6}|20[0-9]{6}(?:[0-9]{2}){0,3})"  # a number, or a date with or without its time
_NUMBERS = re.compile(rf"v?(?P<numbers>{_PART}(?:[._T-]{_PART}){{0,7}})")
_VARIANT = re.compile(r"(?P<number>v?[0-9]{1,6}(?:\.[0-9]{1,6}){0,3})(?P<variant>-[A-Za-z][\w.-]*)")
# Beside any other word, such as `bookworm` or `slim`, plain versions may well be those of another variant.
NEWEST = frozenset(
    {"latest", "stable", "current", "main", "master", "trunk", "release", "prod", "production", "live", "golden"}
)


def history_tags(tags: Iterable[str], moving: str, limit: int, *, own: bool = False) -> list[str]:
    """The newest tags of a moving one's releases, newest first.

    They begin with the moving tag and go on in numbers; where it names a variant (`3.12-slim`), the numbers go on
    before that. Beside the `latest` of an `own` stream, or another word for the newest, any version or date will do
    where none begins so. Tags for a single architecture (`-arm64`) and candidates are left out.
    """
    listed = list(islice(tags, TAGS_LIMIT))
    numbers = _numbered(_rests(listed, rf"{re.escape(moving)}[._-](?P<rest>.+)"))
    if not numbers and (of := _VARIANT.fullmatch(moving)):
        numbers = _numbered(_rests(listed, rf"{re.escape(of['number'])}\.(?P<rest>.+){re.escape(of['variant'])}"))
    if not numbers and own and moving.lower() in NEWEST:
        numbers = _numbered({tag: tag for tag in listed})
    return [tag for _, tag in sorted(((key, tag) for tag, key in numbers.items()), reverse=True)[:limit]]


def _rests(tags: Iterable[str], pattern: str) -> dict[str, str]:
    compiled = re.compile(pattern)
    return {tag: match["rest"] for tag in tags if (match := compiled.fullmatch(tag))}


def _numbered(rests: dict[str, str]) -> dict[str, tuple[int, ...]]:
    """The tags whose rest is all numbers, each with them, without those that move themselves: 1.4 beside 1.4.2."""
    matches = {tag: match["numbers"] for tag, rest in rests.items() if (match := _NUMBERS.fullmatch(rest))}
    keys = {tag: tuple(int(part) for part in re.findall(r"[0-9]+", numbers)) for tag, numbers in matches.items()}
    longer = {key[:length] for key in keys.values() for length in range(1, len(key))}
    return {tag: key for tag, key in keys.items() if key not in longer}
