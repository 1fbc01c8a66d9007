"""What somebody wrote as a command, or why it is none. Pure."""

import io
import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches

from functions_app.domain.chat.grammar import VERBS, Place, Verb, Word
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import line_feeds, storable

LONGEST = 4_000  # characters: what is longer is no sentence; a payload that is goes over the API
_SPACES = " \t\n\u00a0"
_CURLED = str.maketrans("“”„‟«»‘’‚‛", '""""""' + "''''")  # as phones and word processors write quotes
_WRITTEN_OUT = re.compile(r"U\+[0-9A-F]{4,6}")  # as `storable` does with what can't be seen
_ALIKE = 0.6  # of 1: difflib's own measure of what is meant for another word


@dataclass(frozen=True)
class Command:
    """A verb with its words, by the places that they stand for."""

    verb: Verb
    words: tuple[tuple[str, str], ...]

    def word(self, place: str) -> str:
        """What stands there, '' where that was left out."""
        return dict(self.words).get(place, "")


def read(text: str) -> Command:
    """The command. Raises INVALID, saying what would be one."""
    said = line_feeds(text).strip(_SPACES)
    _require_plain(said)
    lexer = _lexer(said)
    verb = verb_of(_next(lexer) or Word.HELP)
    if not any(place.rest for place in verb.places):
        lexer = _lexer(_after_first(said).translate(_CURLED))
    return Command(verb, tuple(_words(verb, lexer)))


def asks_aws(text: str) -> bool:
    """Whether a command is answered with a plan, which AWS is asked for. What is none is refused without."""
    try:
        return read(text).verb.plans
    except DrydockError:
        return False


def _require_plain(said: str) -> None:
    if len(said) > LONGEST:
        raise DrydockError(
            Code.INVALID,
            f"This has {len(said):,} characters; a command has {LONGEST:,} at most.",
            next_step="Send a long payload over the API.",
        )
    shown = storable(said)
    if shown != said:
        alone = (f"U+{ord(sign):04X}" for sign in said if storable(sign) != sign)
        named = found[0] if (found := _WRITTEN_OUT.search(shown)) else next(alone, "")
        raise DrydockError(
            Code.INVALID,
            f"This holds a character that can't be seen{f': {named}' if named else ''}.",
            next_step="Type it anew instead of pasting it.",
        )


def _lexer(text: str) -> shlex.shlex:
    """Words by a shell's quotes and blanks; what is not read yet stays in its stream as it is."""
    lexer = shlex.shlex(io.StringIO(text), posix=True)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = _SPACES, True, ""
    return lexer


def _next(lexer: shlex.shlex) -> str | None:
    try:
        return lexer.get_token()
    except ValueError as error:
        raise DrydockError(
            Code.INVALID,
            "A quote is opened here and not closed, or a backslash is the last of all.",
            next_step="Write the other quote, or \\' for an apostrophe.",
        ) from error


def _after_first(said: str) -> str:
    lexer = _lexer(said)
    _next(lexer)
    return _rest(lexer)


def _rest(lexer: shlex.shlex) -> str:
    return "".join(iter(lambda: lexer.instream.read(1), "")).strip(_SPACES)


def verb_of(word: str) -> Verb:
    """The verb of this name. Raises INVALID with the one that is nearest."""
    asked = word.casefold()
    if asked in VERBS:
        return VERBS[Word(asked)]
    near = get_close_matches(asked[:40], list(VERBS), 1, _ALIKE)
    meant = f" Did you mean “{near[0]}”?" if near else ""
    raise DrydockError(
        Code.INVALID, f"There is no command “{word[:40]}”.{meant}", next_step="Say “help” for those that there are."
    )


def _words(verb: Verb, lexer: shlex.shlex) -> list[tuple[str, str]]:
    """Each word at its place. A place that may be left out is passed by where the word belongs to one further on."""
    found: list[tuple[str, str]] = []
    word = _taken(verb.places[0], lexer) if verb.places else _next(lexer)
    for at, place in enumerate(verb.places):
        later = verb.places[at + 1 :]
        if word and place.optional and _belongs_further_on(word, place, later):
            continue
        if not word:
            if place.optional:
                continue
            raise _written_so(verb, f"{verb.word} takes {' and '.join(_required(verb))}")
        if place.digits and not _is_number(word):
            raise _written_so(verb, f"{place.name} is a number, not “{word[:40]}”")
        found.append((place.name, word))
        word = _taken(later[0], lexer) if later else _next(lexer)
    if word:
        raise _written_so(verb, f"“{word[:40]}” is more than {verb.word} takes; what has blanks stands in quotes")
    return found


def _taken(place: Place, lexer: shlex.shlex) -> str | None:
    return _rest(lexer) if place.rest else _next(lexer)


def _belongs_further_on(word: str, place: Place, later: tuple[Place, ...]) -> bool:
    return _is_number(word) and not place.digits and any(each.digits for each in later)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 19


def _required(verb: Verb) -> list[str]:
    return [place.name for place in verb.places if not place.optional]


def _written_so(verb: Verb, why: str) -> DrydockError:
    return DrydockError(Code.INVALID, f"{why}: {verb.usage}", next_step=f"For example: {verb.example}")
