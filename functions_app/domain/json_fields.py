"""Typed readers for JSON that comes from outside: each gives the type it names, or DrydockError(INVALID) saying why."""

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from functions_app.domain.errors import Code, DrydockError

_DEEPEST = 64  # of what is to mean one thing to everybody
MOST_MEMORY = 128 * 1024**2  # bytes that a document's parts may take
# About what a part takes, by the byte it begins with. Bytes within texts count too: no real document comes near.
_PARTS = ((b"{", 256), (b"[", 128), (b",", 64))


def read_object(data: bytes, what: str, *, once: bool = False) -> dict[str, Any]:
    """Parse an object that takes no more memory than it may; `what` is named in the error.

    Parts count, not bytes: 8 MB of `{"":0}` take 30 times as much. `once`: each name once, since of two that are the
    same readers take the last, the first, or something of both.
    """
    if sum(data.count(sign) * weight for sign, weight in _PARTS) > MOST_MEMORY:
        raise malformed(what, "it has too many parts")
    try:
        document = json.loads(data, object_pairs_hook=partial(_members, what) if once else None)
    except (ValueError, RecursionError) as error:
        raise malformed(what, f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise malformed(what, "it is not a JSON object")
    return document


def _members(what: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise malformed(what, "a member is in it twice")
    return members


def distinct(parts: Iterable[Any], what: str) -> None:
    """Refuse objects with names that differ by capitals alone: Go's readers, which runtimes use, take them for one."""
    for part in parts:
        if isinstance(part, dict) and len(set(map(str.casefold, part))) < len(part):
            raise malformed(what, "two of its members differ by capitals alone")


def read_time(value: Any) -> datetime | None:
    """RFC 3339 in UTC; None for no time, an unreadable one, or Go's zero time."""
    try:
        time = datetime.fromisoformat(value)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return time if time.year > 1 else None


def read_text(value: Any) -> str:
    """A string; anything else counts as empty."""
    return value if isinstance(value, str) else ""


def read_list(value: Any, name: str) -> list[Any]:
    """A list; null counts as empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed("image", f"{name} is not a list")
    return value


def read_strings(value: Any, name: str) -> list[str]:
    """A list of strings; null counts as empty."""
    items = read_list(value, name)
    if not all(isinstance(item, str) for item in items):
        raise malformed("config", f"{name} is not a list of strings")
    return items


def read_texts(value: Any, name: str) -> dict[str, str]:
    """A map of strings; null counts as empty."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise malformed("image", f"{name} is not a map of strings")
    return value


def malformed(what: str, why: str) -> DrydockError:
    """The error for a document that came from outside and cannot be used."""
    return DrydockError(Code.INVALID, f"The {what} cannot be read: {why[:200]}.")


def read_strict(data: bytes, what: str) -> dict[str, Any]:
    """An object that means one thing to everybody: no key twice, no NaN, no NUL, at most 64 deep. Raises INVALID.

    What stands under "payload" is handed on as it is: its texts may hold anything.
    """

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            raise ValueError("a key is there twice")
        return found

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number")

    def number(digits: str) -> float:
        found = float(digits)
        return constant(digits[:20]) if math.isinf(found) else found

    if sum(data.count(sign) * weight for sign, weight in _PARTS) > MOST_MEMORY:
        raise malformed(what, "it has too many parts")
    try:
        document = json.loads(data, object_pairs_hook=pairs, parse_constant=constant, parse_float=number)
    except (ValueError, RecursionError) as error:
        raise malformed(what, f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise malformed(what, "it is not a JSON object")
    _require_plain({key: value for key, value in document.items() if key != "payload"}, what, _DEEPEST)
    return document


def _require_plain(value: Any, what: str, depth: int) -> None:
    if not depth:
        raise malformed(what, f"it is more than {_DEEPEST} deep")
    if isinstance(value, str):
        if "\0" in value:
            raise malformed(what, "it holds a NUL character")
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise malformed(what, "it holds half a character")
    elif isinstance(value, list):
        for item in value:
            _require_plain(item, what, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _require_plain(key, what, depth - 1)
            _require_plain(item, what, depth - 1)
