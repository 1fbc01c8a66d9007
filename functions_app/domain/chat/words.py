"""What the chat is told: help, and lines that fit. Pure."""

from collections.abc import Sequence

from functions_app.domain.chat.grammar import GRAMMAR, Verb
from functions_app.domain.chat.reading import verb_of
from functions_app.domain.text import LINE

LINES, WIDTH = 20, 300  # of a list, and characters of one of its lines: what is longer is a page


def help_line() -> str:
    """All commands, in one line."""
    return f"{' '.join(verb.word for verb in GRAMMAR)}: “help patch” tells of one."


def help_lines(asked: str = "") -> tuple[str, ...]:
    """Every command with what it does; of one that is asked for its example, too. Raises INVALID."""
    if not asked:
        return tuple(_told(verb) for verb in GRAMMAR)
    verb = verb_of(asked)
    whose = ("Only for people who are linked: Settings, Chat.",) if verb.changes else ()
    return (_told(verb), f"For example: {verb.example}", *whose)


def _told(verb: Verb) -> str:
    return f"{verb.usage}: {verb.does}"


def with_end(text: str, end: str) -> str:
    """A line that tells what comes last whole, and of the text before as much as fits."""
    words = " ".join(text.split())
    room = LINE - len(end) - 1
    return f"{words if len(words) <= room else f'{words[: room - 1]}…'} {end}"


def some(lines: Sequence[str], total: int | None = None) -> tuple[str, ...]:
    """As many lines as a chat shows, each as wide as it does, and how many more there are of the `total`."""
    shown = [" ".join(line.split()) for line in lines[:LINES]]
    more = (len(lines) if total is None else total) - len(shown)
    cut = (line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in shown)
    return (*cut, *((f"and {more} more",) if more > 0 else ()))
