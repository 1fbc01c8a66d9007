"""Text of a server, made fit for a terminal: what can't be seen, or turns text around, is written out."""

import unicodedata
from collections.abc import Sequence

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (bidi among them), halves of pairs, line separators


def printable(text: str) -> str:
    """The text with ‹U+202E› for what a terminal obeys or does not show; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in "\n\t" or unicodedata.category(char) not in _HIDDEN:
        return char
    return f"‹U+{ord(char):04X}›"


def line(text: str) -> str:
    """The same in one line."""
    return " ".join(printable(text).split())


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns one below the other."""
    cells = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
