"""Where a long name without a space goes on in the next line: behind its separators, so that no word of it breaks."""

import re
from functools import lru_cache

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

# A dot only before a letter: 3.12 stays whole. What is short, or a number but an account's, stays with what it is of:
# python:3.12, orders:live.
_PLACES = re.compile(
    r"(?<=[\w}][/@=?&])(?![/@=?&\s]|$)|(?<=//)"
    r"|(?<=:)(?<!sha256:)(?![/:\s]|$)(?!\d(?!\d{11}\b))(?![\w.-]{1,7}(?:\s|$))"
    r"|(?<=\.)(?=[^\W\d_])"
)


@lru_cache(maxsize=4096, typed=True)
def breakable(text: str) -> SafeString:
    """A reference, an ARN, an address or a text with such in it, escaped; what is markup already stays as it is."""
    if isinstance(text, SafeString):
        return text
    return SafeString("<wbr>".join(map(conditional_escape, _PLACES.split(text))))
