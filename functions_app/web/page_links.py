"""The links from page to page of a long list."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import QueryDict

from functions_app.services.inventory.tables.table import Form
from functions_app.streams.table_download import FORMAT, OF

AROUND = 2  # neighbours shown on either side of the current page


@dataclass(frozen=True)
class PageLink:
    """A page to go to; without an address it is the current page, with number 0 a gap."""

    number: int
    href: str = ""


@dataclass(frozen=True)
class PageLinks:
    """The links: first, neighbours, last, and one step back and forth (empty where there is none)."""

    before: str
    after: str
    links: tuple[PageLink, ...]


def page_links(current: int, last: int, href: Callable[[int], str]) -> PageLinks:
    """The links for one page of so many."""
    shown = sorted({1, last, *range(max(1, current - AROUND), min(last, current + AROUND) + 1)})
    links: list[PageLink] = []
    previous = 0
    for number in shown:
        if number - previous > 1:
            links.append(PageLink(0))
        links.append(PageLink(number, "" if number == current else href(number)))
        previous = number
    return PageLinks(
        href(current - 1) if current > 1 else "", href(current + 1) if current < last else "", tuple(links)
    )


def table_links(query: QueryDict, of: str = "") -> list[tuple[str, str]]:
    """The whole list as CSV and as JSON: what each is called, and its address, with the filters of the page.

    `of`: which of the page's lists, where it has several.
    """
    kept = query.copy()
    kept.pop("page", None)
    if of:
        kept[OF] = of
    links = []
    for form in Form:
        kept[FORMAT] = form.value
        links.append((form.name, f"?{kept.urlencode()}"))
    return links


def page_number(query: QueryDict) -> int:
    """The page an address asks for; 1 where it asks for none, or for nonsense."""
    return number_in(query.get("page", ""), 1)


def number_in(text: str, otherwise: int = 0) -> int:
    """A number that somebody sent, such as a row's; another where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise
