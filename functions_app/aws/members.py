"""Members of AWS's answers, each read as what it should be. Any may be missing, null or odd: enums and shapes are open.

What can't be done without raises OddAnswer. It costs its entry alone where a listing holds it (`whole`), else the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import storable

T = TypeVar("T")
Entry = Mapping[str, Any]
MOST = 2**31 - 1  # what an integer of the database holds
MOST_BIG = 2**63 - 1  # and a big one
SHA256 = re.compile(r"[0-9a-f]{64}")
LOOK = "See whether this version of Drydock is the newest; what was known before stays as it was."


class OddAnswer(DrydockError):
    """An answer of AWS, or an entry of one, that can't be understood."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.FAILED, why, next_step=LOOK)


def text(entry: Entry, name: str, length: int | None = None) -> str:
    """A text, "" where there is none."""
    value = entry.get(name)
    return storable(value, length) if isinstance(value, str) else ""


def needed(entry: Entry, name: str, length: int) -> str:
    """A text that can't be done without, of at most so many characters. Raises OddAnswer."""
    value = text(entry, name)
    if not value:
        raise OddAnswer(f"it has no {name}")
    if len(value) > length:
        raise OddAnswer(f"its {name} is longer than {length} characters")
    return value


def number(entry: Entry, name: str, default: int = 0, *, most: int = MOST) -> int:
    """A whole number that a database holds and that is not below nought, the default where there is none."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return default
    return int(value)


def decimal(entry: Entry, name: str) -> float:
    """A number that is not below nought, 0 where there is none."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return 0.0
    return float(value)


def part(entry: Entry, *names: str) -> Entry:
    """A structure within structures, {} where there is none."""
    found: Any = entry
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def structures(entry: Entry, name: str) -> list[Entry]:
    """The structures of a list, none where there is no list; what else is in it is left out."""
    value = entry.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def texts(entry: Entry, name: str) -> tuple[str, ...]:
    """A list of texts; what else is in it is left out."""
    value = entry.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(storable(item) for item in value if isinstance(item, str))


def pairs(entry: Entry, name: str) -> dict[str, str]:
    """A map of texts; what else is in it is left out."""
    return {
        storable(key): storable(value)
        for key, value in part(entry, name).items()
        if isinstance(key, str) and isinstance(value, str)
    }


def moment(entry: Entry, name: str) -> datetime:
    """A time in ISO 8601, which Lambda sends as text. Raises OddAnswer."""
    value = needed(entry, name, 60)
    try:
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError as error:
        raise OddAnswer(f"its {name} is no time ({value})") from error


def time_of(entry: Entry, name: str) -> datetime | None:
    """A time that botocore has read, None where there is none."""
    value = entry.get(name)
    return value if isinstance(value, datetime) else None


def digest(entry: Entry, name: str) -> str:
    """A digest that is given as the hex of a SHA-256, "" where it is not known."""
    value = text(entry, name)
    return f"sha256:{value}" if SHA256.fullmatch(value) else ""


def listed(answer: Entry, name: str) -> list[Entry]:
    """The entries of a listing. Raises OddAnswer where there is no list: that is not the same as an empty one."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise OddAnswer(f"AWS's answer has no list of {name}.")
    return [entry if isinstance(entry, Mapping) else {} for entry in value]


def next_page(answer: Entry, name: str, before: str) -> str:
    """The mark of the next page, "" at the end. Raises OddAnswer for the one that led here: it would go on for ever."""
    mark = text(answer, name)
    if mark and mark == before:
        raise OddAnswer("AWS's pages lead in a circle.")
    return mark


def whole(read: Callable[[Entry], T], entries: Iterable[Entry]) -> tuple[list[T], list[tuple[Entry, str]]]:
    """What could be read, and the entries that could not with the reason: one odd entry costs itself alone."""
    found, odd = [], []
    for entry in entries:
        try:
            found.append(read(entry))
        except OddAnswer as error:
            odd.append((entry, error.problem.message))
    return found, odd


def named(read: Callable[[Any], T], answer: Any, what: str) -> T:
    """Read an answer; what is odd about it is told with the name of what was asked for."""
    try:
        return read(answer)
    except OddAnswer as error:
        raise OddAnswer(f"{what}: AWS's answer can't be understood: {error.problem.message}") from error
