"""What an image's history tells of its build, fit to be kept and shown."""

import re

_PAIR = re.compile(r"""(?<=[\s])([A-Za-z_][A-Za-z0-9_.]*)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|[^\s\\])+)""")
_CARRIES_VALUES = re.compile(r"(?:^|\s)(?:ENV|ARG)\s|\|\d+ ")


def without_values(created_by: str) -> str:
    """A build step's text without the values of its ENV, ARG and build arguments, which may be secrets."""
    if not (match := _CARRIES_VALUES.search(created_by)):
        return created_by
    head, tail = created_by[: match.start()], created_by[match.start() :]
    # Build arguments stand between "|2 " and the shell; what follows is the command itself.
    arguments, shell, command = tail.partition(" /bin/sh -c ") if "|" in match.group() else (tail, "", "")
    return head + _PAIR.sub(r"\1=…", " " + arguments)[1:] + shell + command
