"""Where secrets are in a text, by all their shapes at once, and the text without them."""

from collections.abc import Iterator

from functions_app.domain.secret_lines import Opened, may_hold_several, secrets_over_lines
from functions_app.domain.secret_shapes import MASK, SHAPES, Shape
from functions_app.domain.secret_words import composed, read

_PASSES = 4  # what was masked may be the value of a name that had none: nothing is left to find after two


def hide_secrets(text: str, opened: Opened | None = None) -> str:
    """The text with MASK in the place of every secret, whatever letters it is named in, after what lines opened."""
    hidden = written = text if text.isascii() else composed(text)
    for _ in range(_PASSES):
        # Found in what is read, and taken out of what is written: both are of one length.
        if not (secrets := _secrets(read(hidden), opened)):
            break
        hidden = _without(hidden, secrets)
    return text if hidden == written else hidden


def opened_by(text: str, opened: Opened | None) -> Opened | None:
    """What a line of a log leaves open, after what was open before it."""
    return secrets_over_lines(read(text if text.isascii() else composed(text)), opened)[1]


def _possible(text: str) -> Iterator[Shape]:
    if not text:  # as most members of AWS's answers are
        return
    lowered = text.lower()
    for shape in SHAPES:
        for word in shape.needs:  # any() would take longer than the patterns
            if word in lowered:
                yield shape
                break


def _secrets(seen: str, opened: Opened | None) -> list[tuple[int, int]]:
    """Where secrets are, by all shapes in the same text: one that was taken out first may be another's name."""
    secrets = [each for shape in _possible(seen) for each in _of_shape(shape, seen)]
    if opened or "\n" in seen or may_hold_several(seen):
        secrets += secrets_over_lines(seen, opened)[0]
    return secrets


def _of_shape(shape: Shape, seen: str) -> Iterator[tuple[int, int]]:
    """Where one shape's secrets begin and end; the value of a name is looked into once: it may be a name itself."""
    at = end = 0
    while match := shape.pattern.search(seen, at):
        told = match.expand(shape.replacement) if isinstance(shape.replacement, str) else shape.replacement(match)
        begins = match.end()
        if told != match[0]:
            head, _, tail = told.rpartition(MASK)
            begins = match.start() + len(head)
            yield begins, match.end() - len(tail)
        elif not isinstance(shape.replacement, str):
            begins = match.start("value")
        at = match.end() if match.start() < end or begins == match.start() else begins
        end = max(end, match.end())


def _without(text: str, secrets: list[tuple[int, int]]) -> str:
    pieces, at = [], -1
    for begins, ends in sorted(secrets):
        if begins > at:
            pieces += [text[max(at, 0) : begins], MASK]
        at = max(at, ends)
    return "".join([*pieces, text[at:]])
