"""Text that is drawn over and over, escaped once and remembered: Django's escape costs more than all the rest of a row.

This and the other caches here are `typed`: text that is markup already is never taken for the plain text of the same
letters.
"""

from functools import lru_cache

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

NOTHING = SafeString("")  # where a part is absent


@lru_cache(maxsize=16_384, typed=True)
def known(text: str) -> SafeString:
    """Names and words that come again with the next page: escaped."""
    return conditional_escape(text)
