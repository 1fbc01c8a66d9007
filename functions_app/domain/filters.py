"""What a list does not understand of its address: it is said, never left out in silence."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

SAID, LENGTH, FEW = 5, 60, 12  # sentences of one page, characters of a word in them, values that are all named


@dataclass(frozen=True)
class Written:
    """A filter whose values can't be listed: which it understands, and how they are written."""

    understands: Callable[[str], bool]
    how: str


Known = Mapping[str, Collection[str] | Written | None]


def not_understood(given: Iterable[tuple[str, Iterable[str]]], known: Known) -> tuple[str, ...]:
    """A sentence for each name that is no filter, and for each value that its filter does not know.

    `known`: the names of a list's filters, each with its values, or how they are written; None: any.
    """
    found = []
    for name, values in given:
        if name not in known:
            found.append(f"“{_brief(name)}” is not a filter of this list{_near(name, known)}.")
        elif (choices := known[name]) is not None:
            wrong = (value for value in dict.fromkeys(values) if value and not _knows(choices, value))
            found += [f"“{_brief(value)}” is not a value of {name}{_offered(value, choices)}." for value in wrong]
    more = len(found) - SAID
    return (*found[:SAID], f"{more} more of its address is not understood.") if more > 0 else tuple(found)


def _knows(choices: Collection[str] | Written, value: str) -> bool:
    return choices.understands(value) if isinstance(choices, Written) else value in choices


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word.lower()[:LENGTH], known, n=1)
    return f"; {near[0]} is one" if near else ""


def _offered(word: str, choices: Collection[str] | Written) -> str:
    if isinstance(choices, Written):
        return f", which is written as {choices.how}"
    return f", which knows {', '.join(choices)}" if 0 < len(choices) <= FEW else _near(word, choices)


def _brief(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"
