"""What an app's own build steps set by themselves, as every builder spells it in the history.

Sources: moby's classic builder (`/bin/sh -c #(nop)  ENV A=b`, by whichever shell SHELL named), BuildKit's
dockerfile2llb (`ENV A=b`), buildah's stage_executor.go (`/bin/sh -c #(nop) ` and the line as it was written), kaniko
(the line as it was written, in any case of letters).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# The member of the config that an instruction sets as a whole.
WHOLE = {
    "ENTRYPOINT": "Entrypoint",
    "CMD": "Cmd",
    "WORKDIR": "WorkingDir",
    "USER": "User",
    "STOPSIGNAL": "StopSignal",
    "HEALTHCHECK": "Healthcheck",
    "SHELL": "Shell",
    "ONBUILD": "OnBuild",
}
# Those that are set name by name.
NAMED = {"ENV": "Env", "LABEL": "Labels", "EXPOSE": "ExposedPorts", "VOLUME": "Volumes"}
_PAIR = re.compile(r"""(?:^|(?<=\s))["']?([^\s="']+)["']?=(?:"(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|[^\s\\])*)""", re.DOTALL)
_PORT = re.compile(r"(\d+(?:-\d+)?)(/\w+)?")
_PATH = re.compile(r"/[^\s\[\]\"',{}]*")
_CLASSIC = "#(nop) "


@dataclass(frozen=True)
class OwnSettings:
    """Members of the config that are the app's whatever the base says, and the names within those that have names."""

    members: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # (Env, LANG), (ExposedPorts, 8080/tcp)


def own_settings(steps: Iterable[str]) -> OwnSettings:
    """What these steps (`created_by` of the app's own part of the history) set."""
    members: set[str] = set()
    names: set[tuple[str, str]] = set()
    for step in steps:
        instruction, arguments = _instruction(step)
        if member := WHOLE.get(instruction):
            members.add(member)
        elif member := NAMED.get(instruction):
            names |= {(member, name) for name in _names(instruction, arguments)}
    return OwnSettings(frozenset(members), frozenset(names))


def _instruction(step: str) -> tuple[str, str]:
    """Its name in capitals and what follows it."""
    shell, classic, text = step.partition(_CLASSIC)
    words = (text if classic and _is_shell(shell.split()) else step).split(None, 1)
    return (words[0].upper(), words[1]) if len(words) == 2 else ("", "")


def _is_shell(words: Sequence[str]) -> bool:
    """Whether this is what the classic builder puts before its mark: the shell and its flags, not a command."""
    return not words or (words[-1].startswith("-") and words[0] != "RUN" and not words[0].startswith("|"))


def _names(instruction: str, arguments: str) -> Iterable[str]:
    if instruction == "EXPOSE":
        return [port + (protocol or "/tcp").lower() for port, protocol in _PORT.findall(arguments)]
    if instruction == "VOLUME":
        return [path.removesuffix(":") for path in _PATH.findall(arguments)]
    first = arguments.partition("=")[0].split()
    if instruction == "ENV" and len(first) > 1:
        return first[:1]  # the old form: ENV NAME and the rest of the line
    return _PAIR.findall(arguments)
