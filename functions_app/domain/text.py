"""Text from outside (AWS, registries, images, logs, people), made fit for a database, a page and a log."""

import json
import math
import re
from itertools import groupby, islice
from typing import Any

LINE = 140  # characters of the line that every answer to a machine has
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
# What is written out as what it is, ‹U+202E›: what a reader can't see, or what turns the direction of text around. With
# those a text can look like another one. PostgreSQL takes no NUL at all, in text nor in JSON, and none halves of pairs.
_HIDDEN = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad"  # control characters of both sets but tab and newline; the soft hyphen
    r"\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\ud800-\udfff]"  # UAX 44, ignorable
)
_SCRIPTS = (
    r"\u0300-\u1fff\u2070-\ufefe\uff00-\U000dffff"  # of these some join letters or emoji, or choose among their forms
)
_MISUSED = (
    rf"(?<![{_SCRIPTS}])[\u200c\u200d]|[\u200c\u200d](?![{_SCRIPTS}])",  # joiners where nothing is joined
    r"(?<![0-9#*\xa9\xae\u0300-\ufdff\ufe10-\U000dffff])[\ufe00-\ufe0f]",  # a second choice of form, or one of none
    r"(?<![\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]",
)
_FLAG = r"(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)"  # Scotland's: spelt in tags
_SHOWN = rf"{_FLAG}|(?P<hidden>(?:{'|'.join([_HIDDEN, *_MISUSED])})+)"
_NOT_PRINTED = re.compile(rf"(?:{'|'.join(_TERMINAL)})+")
_CLEANED = re.compile(rf"{_NOT_PRINTED.pattern}|{_SHOWN}")
_IN_NAMES = re.compile(rf"{_SHOWN}|(?P<break>[\t\n]+)")
# The same wherever it stands, with what joins, chooses a form or spells a flag.
_UNSEEN = re.compile(rf"{_HIDDEN[:-1]}\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_IN_A_ROW = 8  # different ones that are written out; the rest of a run is counted


def line_feeds(text: str) -> str:
    """The text with line feeds for line ends of every kind: CR LF, and the lone CRs that Lambda's runtimes write."""
    if "\r" not in text:
        return text
    return _RETURNS.sub(lambda run: "\n" if run[0][-1] == "\n" else "\n" * len(run[0]), text)


def storable(text: str, length: int | None = None) -> str:
    """The text as a database takes it and a page may show it: what can't be seen stands there as ‹U+202E›.

    Lines end with line feeds, and of what was meant for a terminal the words remain. Of a text longer than `length`
    characters the beginning, with a mark that the rest is missing.
    """
    if not _is_plain(text):
        text = _CLEANED.sub(_shown, line_feeds(text))
    return text if length is None or len(text) <= length else f"{text[: length - 1]}…"


def _is_plain(text: str) -> bool:
    """Whether nothing has to be looked for, as in nearly every text."""
    return text.isascii() and (text.isprintable() or text.replace("\t", "").replace("\n", "").isprintable())


def storable_json(text: str) -> str:
    """JSON as a database takes it and a page may show it, and of the same meaning: what can't be seen is \\u202e."""
    return text if storable(text) == text else _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def without_terminal(text: str) -> str:
    """The text without what was meant for a terminal: it is no word of it."""
    return text if _is_plain(text) else _NOT_PRINTED.sub("", text)


def without_hidden(text: str) -> str:
    """The same without what can't be seen: as it is read by who looks for words in it."""
    if _is_plain(text):
        return text
    return _CLEANED.sub(lambda found: found["flag"] or "", line_feeds(text))


def _shown(found: re.Match[str]) -> str:
    hidden = found["hidden"] or found.groupdict().get("break")
    if not hidden:
        return found["flag"] or ""
    if len(hidden) == 1:
        return f"‹U+{ord(hidden):04X}›"
    # One word, as what it stands for: read again, a space would part it, and half of it be a value.
    runs = [(char, len(list(same))) for char, same in islice(groupby(hidden), _IN_A_ROW)]
    written = [f"‹U+{ord(char):04X}{f'×{times}' if times > 1 else ''}›" for char, times in runs]
    rest = len(hidden) - sum(times for _, times in runs)
    return "".join(written) + (f"‹+{rest:,}›" if rest else "")


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


def counted(number: int, one: str, several: str = "") -> str:
    """ "1 function", "2 functions"; `several` where that is not `one` with an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def line(text: str) -> str:
    """A text as one line of at most 140 characters."""
    words = " ".join(text.split())
    return words if len(words) <= LINE else f"{words[: LINE - 1]}…"


def visible(name: str, length: int | None = None) -> str:
    """A name (of a file, of a package) that stays another than one without such characters: all are written out."""
    if not (name.isascii() and name.isprintable()):
        name = _IN_NAMES.sub(_shown, name)
    return storable(name, length)
