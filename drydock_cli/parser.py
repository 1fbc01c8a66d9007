"""The parser, made of the table of verbs."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from drydock_cli import VERSION
from drydock_cli.verbs import JSON, Option, Verb, Word

EXITS = """exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 unreachable, 5 waits for a confirmation or an approval.
Where Drydock is, and the token: DRYDOCK_URL and DRYDOCK_TOKEN, or what `drydock login URL` has kept."""


def parser_of(verbs: Sequence[Verb]) -> ArgumentParser:
    """The whole command line."""
    parser = ArgumentParser("drydock", description="Functions that are packaged as container images.", epilog=EXITS)
    parser.add_argument("--version", action="version", version=f"drydock {VERSION}")
    each = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in verbs:
        one = each.add_parser(verb.name, help=verb.about, description=verb.about, allow_abbrev=False)
        for word in verb.words:
            one.add_argument(word.name, metavar=word.shown, help=word.about, **_of_word(word))
        for option in (*verb.options, JSON):
            one.add_argument(f"--{option.name}", help=option.about, **_of_option(option))
    return parser


def _of_word(word: Word) -> dict[str, Any]:
    if word.needed:
        return {}
    return {"nargs": "*", "default": []} if word.several else {"nargs": "?", "default": ""}


def _of_option(option: Option) -> dict[str, Any]:
    if not option.value:
        return {"action": "store_true"}
    return {"metavar": option.value, **({"action": "append", "default": []} if option.several else {"default": ""})}
