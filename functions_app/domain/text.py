"""Names from outside as a page may show them: what would hide or turn text around is written out."""

import re

# Control characters of both sets, line separators, and the marks of bidirectional text (Unicode TR36, TR9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


def visible(name: str) -> str:
    """The name with each such character as \\x00 or \\u202e, and halves of surrogate pairs likewise: fit for UTF-8."""
    return _UNSEEN.sub(_written, name).encode("utf-8", "backslashreplace").decode()


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
