"""Which functions a list shows: read from the parameters of an address, and written as such.

Pages and other doors name their filters alike.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import QueryDict

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.filters import not_understood
from functions_app.domain.pasted.reading import brief
from functions_app.domain.text import storable
from functions_app.services.inventory.fleet_status import AccountFact

NONE = "none"  # stands in the address for an empty value
OVERDUE = {True: "yes", False: "no"}  # as in the address
NEEDS = (
    "broken",
    "endangered",
    "no-way-back",
    "ending",
    "ends",
    "moved",
    "unread",
    "unruled",
)  # what the overview links to; no facets of their own
# the default first: its direction is the one an address without `sort` has
SORTS = {"problem": "-problem", "name": "name", "behind": "-behind", "changed": "-changed"}
VALUES, VALUE_LENGTH = 50, 200  # of a facet, and its characters: every link of the page repeats them
SEARCH_LENGTH = 400  # an address of the AWS console that is longer stands there as what it names
Pairs = list[tuple[str, str]]


class Grain(StrEnum):
    """What has a line of its own."""

    ALIASES = "aliases"
    FUNCTIONS = "functions"


@dataclass(frozen=True)
class FleetFilter:
    """What the list shows. Several values of one facet mean any of them; facets and words all must hold."""

    search: str = ""
    account: tuple[int, ...] = ()
    region: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    freshness: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    overdue: tuple[bool, ...] = ()
    needs: str = ""  # one of NEEDS
    order: str = "problem"
    reverse: bool = False
    page: int = 1
    rows: Grain = Grain.ALIASES

    @property
    def chosen(self) -> tuple[tuple[Any, ...], ...]:
        """The chosen values, facet by facet, in the order of FACETS."""
        return (self.account, self.region, self.state, self.freshness, self.base, self.overdue)


def read_filter(query: QueryDict, accounts: tuple[AccountFact, ...]) -> FleetFilter:
    """Read the address. What it does not understand matches nothing (a value) or is left out (order, page)."""
    keys = {fact.name: fact.pk for fact in accounts}
    sort = query.get("sort", "")
    order = sort.lstrip("-")
    number = query.get("page", "1")

    def several(name: str) -> tuple[str, ...]:
        values = dict.fromkeys("" if value == NONE else value[:VALUE_LENGTH] for value in query.getlist(name) if value)
        return tuple(values)[:VALUES]

    return FleetFilter(
        search=brief(storable(query.get("search", "")).strip(), SEARCH_LENGTH),
        account=tuple(keys.get(name, 0) for name in several("account")),
        region=several("region"),
        state=several("state"),
        freshness=several("freshness"),
        base=several("base"),
        overdue=tuple(value for value, word in OVERDUE.items() if word in query.getlist("overdue")),
        needs=query.get("needs", "") if query.get("needs") in NEEDS else "",
        order=order if order in SORTS else "problem",
        reverse=order in SORTS and sort != SORTS[order],
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
        rows=Grain.FUNCTIONS if query.get("rows") == Grain.FUNCTIONS else Grain.ALIASES,
    )


def misread(query: QueryDict, accounts: tuple[AccountFact, ...]) -> tuple[str, ...]:
    """What the address says that this list does not understand, a sentence each."""
    known = {
        **dict.fromkeys(("search", "region", "state", "base", "page", "format")),
        "account": [fact.name for fact in accounts],
        "freshness": [item.value for item in Freshness],
        "overdue": [*OVERDUE.values()],
        "needs": NEEDS,
        "rows": [item.value for item in Grain],
        "sort": [word for order in SORTS for word in (order, f"-{order}")],
    }
    return not_understood(query.lists(), known)


def as_pairs(wanted: FleetFilter, accounts: tuple[AccountFact, ...]) -> Pairs:
    """The filter as the parameters of its address, always in the same order, without the page."""
    names = {fact.pk: fact.name for fact in accounts}
    pairs = [("search", wanted.search)] if wanted.search else []
    pairs += [("account", names.get(key, "?")) for key in wanted.account]
    pairs += [("needs", wanted.needs)] if wanted.needs else []
    pairs += [("overdue", OVERDUE[value]) for value in wanted.overdue]
    for facet in ("region", "state", "freshness", "base"):
        pairs += [(facet, value or NONE) for value in getattr(wanted, facet)]
    if wanted.reverse or wanted.order != "problem":
        pairs.append(("sort", sort_word(wanted.order, wanted.reverse)))
    if wanted.rows is not Grain.ALIASES:
        pairs.append(("rows", wanted.rows.value))
    return pairs


def sort_word(order: str, reverse: bool) -> str:
    """The value of `sort` for an order; a leading minus reverses it."""
    word = SORTS[order]
    if not reverse:
        return word
    return word[1:] if word.startswith("-") else f"-{word}"
