"""What an image's history tells of its build, fit to be kept and shown."""

import re

from functions_app.domain.redaction import redact
from functions_app.domain.text import storable, without_terminal

LENGTH = 4000  # characters of a step that are kept
_PAIR = re.compile(r"""(?<=[\s])([A-Za-z_][A-Za-z0-9_.]*)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|[^\s\\])+)""")
_CARRIES_VALUES = re.compile(r"(?:^|\s)(?:ENV|ARG)\s|\|\d+ ")
_INSTRUCTION = re.compile(r"\s*(?:/bin/sh -c #\(nop\)\s{1,9})?(ENV|ARG)\s")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)=")
_ODD_SPACE = re.compile(r"[^\S\n\t ]")  # parts words as a space does, and would be shown as something that doesn't
_SHELL, _BUILDKIT = " /bin/sh -c ", " # buildkit"


def kept_step(created_by: str) -> str:
    """A build step as it may be stored and shown: no values, no credentials of a command, of bounded length."""
    return storable(redact(without_values(_ODD_SPACE.sub(" ", without_terminal(created_by[: 4 * LENGTH])))), LENGTH)


def without_values(created_by: str) -> str:
    """A build step's text without the values of its ENV, ARG and build arguments, which may be secrets."""
    if not (match := _CARRIES_VALUES.search(created_by)):
        return created_by
    head, tail = created_by[: match.start()], created_by[match.start() :]
    if instruction := _INSTRUCTION.match(created_by):
        end = _BUILDKIT if tail.endswith(_BUILDKIT) else ""
        return head + _names(tail.removesuffix(end), alone=instruction[1] == "ENV") + end
    # Build arguments stand between "|2 " and the shell; what follows is the command itself.
    arguments, shell, command = tail.partition(_SHELL) if "|" in match.group() else (tail, "", "")
    if shell:
        return head + _names(arguments) + shell + command
    return head + _PAIR.sub(r"\1=…", " " + arguments)[1:]


def _names(text: str, *, alone: bool = False) -> str:
    """The names alone: builders write a value as it is, without quotes, so it goes on to the next name or the end.

    `alone`: `ENV NAME value` is one as well, as kaniko writes it.
    """
    lead, words = text[: len(text) - len(text.lstrip())], text.split()
    if alone and len(words) > 2 and "=" not in words[1]:
        return f"{lead}{words[0]} {words[1]} …"
    kept: list[str] = []
    within = False
    for word in words:
        if name := _NAME.match(word):
            kept.append(f"{name[1]}=…")
            within = True
        elif not within:
            kept.append(word)
    return lead + " ".join(kept)
