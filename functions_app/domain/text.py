"""Text from outside (AWS, registries, images, logs, people), made fit for a database, a page and a log."""

import math
import re
from typing import Any

DEPTH = 100  # of a JSON value: no fact of ours is nested so far
# Terminal sequences, control characters of both sets but tab and newline, and the marks that turn the direction of
# text around: with those a text can look like another one. PostgreSQL takes no NUL at all, in text nor in JSON.
_REMOVED = re.compile(r"(?:\x1b\[|\x9b)[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# In a name more is written out: line breaks and what takes no room at all (Unicode TR36, TR9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


def storable(text: str, length: int | None = None) -> str:
    """The text as a database takes it and a page may show it: without control characters and halves of surrogates.

    Of one longer than `length` characters the beginning, with a mark that the rest is missing.
    """
    if not text.isprintable():  # nearly every text is, and then nothing has to be looked for
        text = _REMOVED.sub("", text).encode("utf-8", "replace").decode()
    return text if length is None or len(text) <= length else f"{text[: length - 1]}…"


def storable_value(value: Any, length: int | None = None, depth: int = DEPTH) -> Any:
    """The same for a JSON value: every text in it, and its members' names; of two that become one the last stays.

    Numbers that JSON does not know (NaN, Infinity) become null, and what lies deeper than `depth` is left out.
    """
    if isinstance(value, str):
        return storable(value, length)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple | dict) and not depth:
        return "…"
    if isinstance(value, list | tuple):
        return [storable_value(item, length, depth - 1) for item in value]
    if isinstance(value, dict):
        return {storable_value(key, length): storable_value(item, length, depth - 1) for key, item in value.items()}
    return value


def visible(name: str, length: int | None = None) -> str:
    """A name (of a file, of a package) that stays another than one without such characters: they are written out.

    As \\x00 or \\u202e, and halves of surrogate pairs likewise.
    """
    if not name.isprintable():
        name = _UNSEEN.sub(_written, name).encode("utf-8", "backslashreplace").decode()
    return storable(name, length)


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
