"""Addresses of pages that are drawn over and over."""

from functools import lru_cache

from django.urls import reverse
from django.utils.safestring import SafeString


def address(name: str, pk: int) -> SafeString:
    """The address of a page that is of one thing alone, by the page's name and the thing's key."""
    return SafeString(_pattern(name).replace("0", str(pk), 1))


@lru_cache(maxsize=16)
def _pattern(name: str) -> str:
    """The address of a page with 0 for its key: reversing it fifty times a page would take longer than all queries."""
    return reverse(name, args=[0])
