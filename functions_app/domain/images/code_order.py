"""Whether an image's code is copied after its dependencies were installed, as far as its history tells.

Code that is copied first has them installed anew at each change of it. The tables say what is known; a source or a
command that is in none of them is told as not known, and never held against an image, nor in its favour.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from functions_app.domain.images.build_commands import (
    CODE,
    HARMLESS,
    HARMLESS_COMMAND,
    INSTALLERS,
    NO_CODE,
    NO_DEPENDENCIES,
    ROOTS,
)
from functions_app.domain.images.manifests import HistoryEntry

Source = Literal["code", "other", "unknown"]


@dataclass(frozen=True)
class Order:
    """Whether the code comes last (None: not known), and the steps that tell: what was copied, what came after."""

    ok: bool | None
    copied: str = ""
    after: str = ""


_COPY = re.compile(r"(?:^|#\(nop\)\s+)(?:COPY|ADD)\s+(.*)", re.DOTALL)
_SETTING = re.compile(
    r"(?:^|#\(nop\)\s+)(?:WORKDIR|ENV|ARG|LABEL|CMD|ENTRYPOINT|USER|EXPOSE|VOLUME|STOPSIGNAL|HEALTHCHECK|SHELL|ONBUILD|"
    r"MAINTAINER)\b"
)
_SHELL = re.compile(r"(?:^|\s)/bin/\w*sh\s+(?:\S+\s+){0,9}?-\w*c\s+")
_SEPARATOR = re.compile(r"&&|\|\|?|;|\n|\\\n")
_LEAD = re.compile(r"(?:\s|[({!]\s|(?:sudo|time|env|exec|then|do|if|else)\s|[A-Za-z_]\w*=\S*\s)*")
_COMMENT = " # buildkit"


def code_order(steps: Sequence[HistoryEntry]) -> Order:
    """Judge the app's own build steps."""
    copied = perhaps = ""  # the first step that copies code, or what may be code
    doubt: Order | None = None
    before: set[str] = set()  # installers that ran before there was code
    for entry in steps:
        step = entry.created_by.removesuffix(_COMMENT)
        if _SETTING.search(step):
            continue
        source = _source(step)
        if source is not None:
            copied = copied or (step if source == "code" else "")
            perhaps = perhaps or (step if source == "unknown" else "")
            continue
        if (commands := commands_of(step)) is None:
            if not entry.empty_layer:  # no step of a Dockerfile: it may hold anything
                doubt = doubt or Order(None, after=step)
            continue
        runs = [_judged(command) for command in commands]
        names = {run.name for run in runs if run and run.name}
        if copied and any(run and run.name and not (run.own and run.name in before) for run in runs):
            return Order(False, copied, step)
        if (copied or perhaps) and (names - before or None in runs):
            doubt = doubt or Order(None, copied or perhaps, step)
        before |= set() if copied else names
    return doubt or Order(True, copied)


@dataclass(frozen=True)
class _Run:
    """An installer at work; `own`: it may only add the app itself. `name` '': it installs nothing."""

    name: str
    own: bool = False


NOTHING = _Run("")


def installs(steps: Sequence[HistoryEntry]) -> bool:
    """Whether any step is known to install dependencies."""
    commands = (command for entry in steps for command in commands_of(entry.created_by) or ())
    return any((run := _judged(command)) and run.name for command in commands)


def _source(step: str) -> Source | None:
    """What a step copies; None where it copies nothing."""
    match = _COPY.search(step)
    if match is None:
        return None
    if "--from=" in step:
        return "other"  # from another stage, or another image
    words = [word.strip('[]",') for word in match[1].split() if not word.startswith("--")]
    if len(words) >= 2 and words[-2] == "in":  # the classic builder: file:HASH in /target, dir:HASH in /target
        return _of_target(words[0], words[-1])
    kinds = {_kind(word) for word in words[:-1]}
    return "code" if "code" in kinds else "other" if kinds == {"other"} else "unknown"


def _of_target(hashed: str, target: str) -> Source:
    """The classic builder keeps a source's name only where the target has it."""
    if target == "/":
        return "other"  # the root of a distribution
    if target.rstrip("/") in ROOTS:
        return "code" if hashed.startswith("dir:") else "unknown"
    return _kind(next((target.removeprefix(f"{root}/") for root in ROOTS if target.startswith(f"{root}/")), target))


def _kind(source: str) -> Source:
    if any(pattern.search(source) for pattern in NO_CODE):
        return "other"
    return "code" if any(pattern.search(source) for pattern in CODE) else "unknown"


def commands_of(created_by: str) -> list[str] | None:
    """The commands that a step runs, each with its program's name alone; None where it is no such step."""
    step = created_by.removesuffix(_COMMENT)
    text = step.removeprefix("RUN ")
    shell = _SHELL.search(text)
    if shell and (text.startswith("|") or not shell.start()):  # build arguments stand before the shell
        text = text[shell.end() :]
    elif text == step:
        return None
    if text.startswith("#(nop)"):
        return None
    parts = (_LEAD.sub("", part, count=1).strip() for part in _SEPARATOR.split(text))
    return [f"{_program(part)} {part.partition(' ')[2]}".strip() for part in parts if part]


def _program(command: str) -> str:
    """The name of what a command starts; a path to a folder stays as it is, which is in no table."""
    path = command.split()[0]
    return path.rpartition("/")[2] or path


def _judged(command: str) -> "_Run | None":
    """What a command is known to do; None for one that is in no table."""
    if found := next((one for one in INSTALLERS if one.command.match(command)), None):
        return (
            NOTHING
            if NO_DEPENDENCIES.search(command)
            else _Run(found.name, bool(found.own and found.own.search(command)))
        )
    return NOTHING if command.split()[0] in HARMLESS or HARMLESS_COMMAND.match(command) else None
