"""The values of a facet beside the functions list: of tags there are two hundred, more than all else on the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.web.html.escaped import NOTHING, known

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
    return SafeString("".join(map(_item, values)))


def _item(value: FacetValue) -> SafeString:
    chosen = CHOSEN if value.chosen else NOTHING
    count = "" if value.count is None else value.count
    return format_html(VALUE, known(value.id), value.href, chosen, known(value.label), count)
