"""Text from outside (AWS, registries, images, logs, people), made fit for a database, a page and a log."""

import math
import re
from typing import Any

DEPTH = 100  # of a JSON value: no fact of ours is nested so far
_RETURNS = re.compile(r"\r+\n?")
# What a terminal does not print (ECMA-48, xterm's ctlseqs), each with its beginning in the 7-bit and in the 8-bit set.
_TERMINAL = (
    # Strings up to BEL or ST on their line: titles and hyperlinks (OSC 8), then DCS, SOS, PM, APC, which end with ST.
    r"(?:\x1b\]|\x9d)[^\x07\x1b\n\x80-\x9f]*(?:\x07|\x1b\\|\x9c)",
    r"(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\n\x80-\x9f]*(?:\x1b\\|\x9c)",
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?",  # colours and cursor; one that was cut off, too
    r"\x1b[ -/]+[0-~]?",  # character sets
    r"\x1b[0-?@-_c]",  # one letter; of a string without an end this takes the beginning, and its text stays
)
# Beside them control characters of both sets but tab and newline, and the marks that turn the direction of text around:
# with those a text can look like another one. PostgreSQL takes no NUL at all, in text nor in JSON.
_REMOVED = re.compile("|".join([*_TERMINAL, r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"]))
# In a name more is written out: line breaks and what takes no room at all (Unicode TR36, TR9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


def line_feeds(text: str) -> str:
    """The text with line feeds for line ends of every kind: CR LF, and the lone CRs that Lambda's runtimes write."""
    if "\r" not in text:
        return text
    return _RETURNS.sub(lambda run: "\n" if run[0][-1] == "\n" else "\n" * len(run[0]), text)


def storable(text: str, length: int | None = None) -> str:
    """The text as a database takes it and a page may show it: without control characters and halves of surrogates.

    Lines end with line feeds, and of what was meant for a terminal the words remain. Of a text longer than `length`
    characters the beginning, with a mark that the rest is missing.
    """
    if not text.isprintable():  # nearly every text is, and then nothing has to be looked for
        text = _REMOVED.sub("", line_feeds(text)).encode("utf-8", "replace").decode()
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


def sentence(text: str) -> str:
    """The text with a full stop, where nothing ends it, so that another sentence may follow."""
    text = text.rstrip()
    return text if not text or text[-1] in ".!?:;…" else f"{text}."


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
