"""A stream's own pattern for the tags of its releases: plain text with parts in braces, `{number}.{number}-r{number}`.

No regular expression: what people type could take a matcher hours. Here every part is bounded, and of two parts next to
each other nobody could tell where one ends, so that a pattern has text between them.
"""

import re
from functools import lru_cache
from itertools import pairwise

PATTERN_LIMIT = 200  # characters
PARTS_LIMIT = 8
# What a tag is made of. Other long numbers are left out: one in thirty short commit ids is all digits.
PARTS = {
    "date": r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:T?[0-9]{2}(?:[0-9]{2}){0,2})?",
    "timestamp": r"1[0-9]{9}(?:[0-9]{3})?",  # seconds or milliseconds since 1970, from 2001 to 2033
    "build": r"(?:v|r|rev|build)[.-]?[0-9]{1,6}",  # neither a candidate (rc1) nor a beta (b2)
    "number": r"[0-9]{1,6}",
}
TEXT = "text"
_TEXT = r"[A-Za-z0-9_.-]{1,64}"  # orders nothing: a commit, a branch
_PIECE = re.compile(r"\{(?P<part>[^{}]*)\}|(?P<plain>[^{}]+)")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


def check(pattern: str) -> None:
    """Raise ValueError, in words for people, for a pattern that cannot be one."""
    if len(pattern) > PATTERN_LIMIT:
        raise ValueError(f"A pattern has at most {PATTERN_LIMIT} characters.")
    pieces = list(_PIECE.finditer(pattern))
    if "".join(piece[0] for piece in pieces) != pattern:
        raise ValueError("A brace is open, or closed without having been opened.")
    parts = [piece["part"] for piece in pieces if piece["part"] is not None]
    known = (*PARTS, TEXT)
    if unknown := [part for part in parts if part not in known]:
        raise ValueError(f"{{{unknown[0][:40]}}} is no part. There are {', '.join(f'{{{part}}}' for part in known)}.")
    for piece in pieces:
        if piece["plain"] is not None and not _PLAIN.fullmatch(piece["plain"]):
            raise ValueError(
                "Beside its parts a pattern has letters, digits, dots, dashes and underscores, as tags do."
            )
    if not set(parts) & set(PARTS):
        raise ValueError("It needs a part that orders releases, such as {number} or {date}.")
    if len(parts) > PARTS_LIMIT or parts.count(TEXT) > 1:
        raise ValueError(f"It has at most {PARTS_LIMIT} parts, and {{{TEXT}}} once.")
    for before, after in pairwise(pieces):
        if before["plain"] is None and (after["plain"] is None or after["plain"][0].isdigit()):
            raise ValueError("Between two parts there is a character that is no digit, so that one ends where it does.")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for whole tags, a group for each part that orders releases, in their order. Raises ValueError."""
    check(pattern)
    made, number = "", 0
    for piece in _PIECE.finditer(pattern):
        if piece["plain"] is not None:
            made += re.escape(piece["plain"])
        elif piece["part"] == TEXT:
            made += f"(?:{_TEXT})"
        else:
            number += 1
            made += f"(?P<part{number}>{PARTS[piece['part']]})"
    return re.compile(made)
