"""The verbs about the command line itself: its help, the address and token that it keeps, completion."""

import getpass
import sys

from drydock_cli import configuration
from drydock_cli.completion import SHELLS
from drydock_cli.configuration import Configuration
from drydock_cli.failures import ExitCode, Failure
from drydock_cli.parser import parser_of
from drydock_cli.server import Server
from drydock_cli.verbs import Context, Verb, Word


def tell_help(context: Context) -> ExitCode:
    """What can be said here; of one verb, all of it."""
    parser_of(context.verbs).parse_args([*filter(None, [context.given.command]), "--help"])
    return ExitCode.DONE


def login(context: Context) -> ExitCode:
    """Keep an address and a token, which is read from standard input, in a file of mode 600."""
    url = configuration.address_of(context.given.url, context.environment)
    typed = getpass.getpass(f"Token for {url}: ") if sys.stdin.isatty() else sys.stdin.readline()
    kept = Configuration(url, configuration.checked_token(typed.strip()))
    server = Server(kept, context.screen.note)
    try:
        answer = server.get("/accounts")
    finally:
        server.close()
    path = configuration.path_of(context.environment)
    configuration.keep(kept, path)
    context.screen.note(f"Address and token are kept in {path}.")
    context.screen.answer(answer)
    return ExitCode.DONE


def complete(context: Context) -> ExitCode:
    """What a shell reads to complete commands."""
    script = SHELLS.get(context.given.shell)
    if script is None:
        raise Failure(
            ExitCode.USAGE, "invalid", f"There is none for {context.given.shell}.", f"For {', '.join(SHELLS)}."
        )
    context.screen.plain(script(context.verbs))
    return ExitCode.DONE


VERBS = (
    Verb("help", "what can be said here", tell_help, (Word("command", "one of them", needed=False),)),
    Verb(
        "login", "keep the address and a token, which is read from standard input", login, (Word("url", "https://…"),)
    ),
    Verb("completion", "what a shell reads to complete commands", complete, (Word("shell", " or ".join(SHELLS)),)),
)
