"""`drydock`: one verb, carried out; what goes wrong is a line, and an exit code."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import Any, NoReturn

from drydock_cli.failures import BROKEN_PIPE, INTERRUPTED, TERMINATED, ExitCode, Failure
from drydock_cli.parser import parser_of
from drydock_cli.screen import Screen
from drydock_cli.table import VERBS
from drydock_cli.verbs import Context


class Terminated(KeyboardInterrupt):
    """SIGTERM, as `timeout` sends it: heard like Ctrl-C."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Carry out a command; gives its exit code."""
    given = parser_of(VERBS).parse_args(arguments)
    verb = next(each for each in VERBS if each.name == given.verb)
    context = Context(Screen(as_json=given.json), given, environment, VERBS)
    try:
        _require_text(sys.argv[1:] if arguments is None else arguments)
        return verb.action(context)
    except Failure as failure:
        context.screen.failed(failure)
        if context.goes_on:
            context.screen.note(context.goes_on)
        return failure.exit_code
    except KeyboardInterrupt as stopped:
        context.screen.note(context.goes_on or "Stopped; nothing was begun.")
        return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
    finally:
        context.close()


def _require_text(arguments: Sequence[str]) -> None:
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError as error:
        raise Failure(ExitCode.USAGE, "invalid", "An argument is no text: it is not UTF-8.") from error


def program() -> NoReturn:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of an old encoding gets all texts, too
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough: `drydock list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python says so once more at its end
        code = BROKEN_PIPE
    sys.exit(code)


def _terminated(number: int, frame: Any) -> NoReturn:
    raise Terminated
