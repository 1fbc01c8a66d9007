"""Secrets are taken out of every text before it is stored or shown; what is left stays readable."""

import json
import logging
import re
from typing import Any

from functions_app.domain.secret_lines import Opened
from functions_app.domain.secret_places import hide_secrets, opened_by
from functions_app.domain.secret_shapes import MASK
from functions_app.domain.secret_words import NAMES, PINS, composed, read
from functions_app.domain.text import DEPTH, line_feeds, storable, storable_value, without_hidden

_WRITTEN_OUT = "‹U+"
_WITHIN = 4  # texts within texts: of each more its escapes are twice as many
# What escapes something, and what may be the line of a key: of all else the shapes see the same without its quotes.
_QUOTED = re.compile(r'(?<!\\)"(?=[^"\\\n]*+(?:\\|(?<=[^"]{60})"))(?:[^"\\\n]|\\.){8,}+"')
LINE_LIMIT = 8 * 1024  # bytes of UTF-8 that one log line may hold
TEXT_LIMIT = 2_000_000  # characters of a text that are looked at at all
MOST_LINES = 2_000  # of one text
NOT_KEPT = "This looks like a secret, and Drydock keeps none. Write something else."
WORDS_BEFORE = 10  # of a command, that say what a word of it is
SCAN_LIMIT = 64 * 1024  # characters looked at: beyond that a line is cut before the patterns run


def redact(text: str, opened: Opened | None = None) -> str:
    """Mask credentials, tokens, signatures and passwords in the text, made storable: nothing hides them from us.

    `opened` is what the lines before it in a log leave open.
    """
    shown = storable(text)
    if _WRITTEN_OUT not in shown:
        return _hidden(shown, opened)
    read = without_hidden(text)
    masked = _hidden(read, opened)
    return _hidden(shown, opened) if masked == read else masked


def one_line(text: str, length: int = 300) -> str:
    """What somebody wrote, as it is stored and shown: a line break would end a log's line, and begin a false one."""
    return storable(" ".join(redact(text[:2_000]).split()), length)


def holds_secret(text: str) -> bool:
    """Whether something in it would be masked: what people need word for word is refused then, not kept without it."""
    read = without_hidden(text)
    return _hidden(read) != read


def _hidden(text: str, opened: Opened | None = None, deep: int = _WITHIN) -> str:
    """Secrets masked in a text, and before that in what it quotes: there the quotes of shapes are escaped.

    An answer through API Gateway is JSON with JSON in a string, and so is many a line of a log.
    """
    if deep and '"' in text:
        text = _QUOTED.sub(lambda found: _requoted(found[0], deep - 1), text)
    return hide_secrets(text, opened)


def _requoted(quoted: str, deep: int) -> str:
    try:
        read = storable(json.loads(quoted, strict=False))
    except ValueError:
        return quoted
    masked = _hidden(read, deep=deep)
    return quoted if masked == read else json.dumps(masked, ensure_ascii=False)


class RedactingFormatter(logging.Formatter):
    """Formats the server's own log: an exception's text may hold what its caller was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback where there is one."""
        return redact(super().format(record))


def redact_value(value: Any, depth: int = DEPTH) -> Any:
    """The same for a JSON value: strings are redacted, and members whose name says that they are secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple | dict) and not depth:
        return "…"
    if isinstance(value, list | tuple):
        return _redact_list(value, depth)
    if isinstance(value, dict):
        apart = any(_names_a_secret(item) for key, item in value.items() if _read(key) in _NAMING)
        return {
            storable_value(key): MASK
            if item and (_names_a_secret(key) or _is_pin(key, item) or (apart and _read(key) in _VALUE))
            else redact_value(item, depth - 1)
            for key, item in value.items()
        }
    return value


def _redact_list(items: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    """A list may be a command: what a word of it is can be said by the words before it."""
    told: list[Any] = []
    for number, item in enumerate(items):
        told.append(redact_value(item, depth - 1))
        if isinstance(item, str) and item:
            told[-1] = _redact_word(told, items[number - 1] if number else "")
    return told


def _redact_word(told: list[Any], option: Any) -> str:
    """The last of these words, after `option` as it was before it was made storable."""
    word: str = told[-1]
    follows = isinstance(option, str) and option.startswith("-") and not word.startswith("-")
    if follows and _names_a_secret(option):
        return MASK
    if not follows and not word.startswith("-"):
        return word
    before = " ".join(("", *(each for each in told[-WORDS_BEFORE:-1] if isinstance(each, str)), ""))
    one_word = _APART.sub("x", word)
    line = hide_secrets(before + one_word)
    if not line.startswith(before) or line == before + one_word or MASK not in line[len(before) :]:
        return word
    return word[: line.index(MASK, len(before)) - len(before)] + MASK


_NAMING, _VALUE = ("name", "key", "variable", "parametername", "parameterkey"), ("value", "parametervalue")
_APART = re.compile(r"[\s\"']")  # what ends a word on a line, but not in a list
_SECRET_NAME = re.compile(rf"(?i)[\w.-]*?(?:{NAMES})")
_PIN_NAME = re.compile(rf"(?i)[\w.-]*?{PINS}")
_PIN = re.compile(r"\d{3,12}")


def _read(key: Any) -> str:
    return without_hidden(str(key)).lower()


def _seen(name: str) -> str:
    return read(composed(without_hidden(name)))


def _names_a_secret(name: Any) -> bool:
    return isinstance(name, str) and _SECRET_NAME.fullmatch(_seen(name)) is not None


def _is_pin(name: Any, value: Any) -> bool:
    """Whether it is called so and looks so."""
    return _PIN.fullmatch(str(value)) is not None and _PIN_NAME.fullmatch(_seen(str(name))) is not None


class LogLines:
    """The lines of one log, cleaned as they come: of a secret over several lines each is known by those before it."""

    def __init__(self) -> None:
        self._opened: Opened | None = None

    def clean(self, text: str) -> list[str]:
        """The next of them, as `clean_lines` has it."""
        before, self._opened = self._opened, opened_by(without_hidden(text[:SCAN_LIMIT]), self._opened)
        return clean_lines(text, before)


def clean_lines(text: str, opened: Opened | None = None) -> list[str]:
    """A text as log lines: redacted as a whole, split into lines of at most LINE_LIMIT bytes; so many of them.

    `opened` is what the lines before it leave open.
    """
    whole, text = len(text), line_feeds(text[:TEXT_LIMIT])
    if whole > SCAN_LIMIT and "\n" not in text:
        return [_shortened(redact(text[:SCAN_LIMIT], opened), whole)]
    lines = redact(text, opened).rstrip("\n").split("\n")
    kept = [_shortened(line, len(line)) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES or whole > TEXT_LIMIT:
        kept.append(f"… [cut: the text had {whole:,} characters]")
    return kept


def _shortened(line: str, whole: int) -> str:
    """At most LINE_LIMIT bytes of UTF-8 of a line, saying how long it was (`whole`, in characters)."""
    data = line.encode()
    if len(data) <= LINE_LIMIT and whole <= SCAN_LIMIT:
        return line
    return f"{data[:LINE_LIMIT].decode('utf-8', 'ignore')} … [cut: the line had {whole:,} characters]"
