"""Words as a shell and a Dockerfile read them: quotes, backslashes and variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})")


class Operator(str):
    """A word that is an operator of the shell: |, > or >>."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other}; an unset name becomes nothing."""
    return _VARIABLE.sub(lambda match: _value(match, variables), text)


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match[1] or match[2], "")
    if match[3] == "-":
        return value or match[4]
    if match[3] == "+":
        return match[4] if value else ""
    return value


def words(text: str, variables: Mapping[str, str], operators: Sequence[str] = ()) -> list[str]:
    """Split into words. Raises ValueError for a quote that does not end."""
    found: list[str] = []
    word: str | None = None
    quote, place = "", 0
    while place < len(text):
        letter = text[place]
        operator = None if quote else next((each for each in operators if text.startswith(each, place)), None)
        match = _VARIABLE.match(text, place) if letter == "$" and quote != "'" else None
        step = 1
        if letter == "\\" and quote != "'" and (not quote or text[place + 1 : place + 2] in '"\\$`'):
            word, step = (word or "") + text[place + 1 : place + 2], 2
        elif match:
            word, step = (word or "") + _value(match, variables), len(match[0])
        elif letter == quote or (letter in "\"'" and not quote):
            word, quote = word or "", "" if quote else letter
        elif quote or not (operator or letter.isspace()):
            word = (word or "") + letter
        else:
            found += [word] if word is not None else []
            found += [Operator(operator)] if operator else []
            word, step = None, len(operator or " ")
        place += step
    if quote:
        raise ValueError(f"unexpected end of statement while looking for matching {quote}")
    return found + ([word] if word is not None else [])


def statements(line: str) -> list[tuple[str, str]]:
    """A shell line's statements, each with the operator before it: "", "&&", "||" or ";"."""
    found: list[tuple[str, str]] = []
    text, before, quote, depth, place = "", "", "", 0, 0
    while place < len(line):
        letter, pair = line[place], line[place : place + 2]
        if letter == "\\":
            text, place = text + pair, place + 2
            continue
        if letter == "#" and not quote and not depth and (not text or text[-1].isspace()):
            break
        if letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
        depth += (pair == "$(" and quote != "'") - (letter == ")" and depth > 0 and quote != "'")
        cut = "" if quote or depth else pair if pair in ("&&", "||") else ";" if letter == ";" else ""
        if cut:
            found.append((before, text.strip()))
            text, before = "", cut
        else:
            text += letter
        place += len(cut) or 1
    found.append((before, text.strip()))
    return [(operator, statement) for operator, statement in found if statement]
