"""The values of a facet beside the functions list: of tags there are two hundred, more than all else on the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.web.html.escaped import NOTHING

VALUE = '<li><a id="{}" href="{}"{}><span class="l">{}</span> <span class="n">{}</span></a></li>'
CHOSEN = SafeString(' class="on" aria-current="true"')


@dataclass(frozen=True)
class FacetValue:
    """One value of a facet: the link toggles it."""

    id: str
    label: str | SafeString
    count: int | None  # None: not counted before it is asked for
    chosen: bool
    href: str


def facet_values(values: Iterable[FacetValue]) -> SafeString:
    """Each as an item of a list."""
    return SafeString("".join(_item(each.id, each.href, each.chosen, each.label, each.count) for each in values))


@lru_cache(maxsize=4096, typed=True)
def _item(id: str, href: str, chosen: bool, label: str | SafeString, count: int | None) -> SafeString:
    return format_html(VALUE, id, href, CHOSEN if chosen else NOTHING, label, "" if count is None else count)
