"""Which functions a list shows: read from the parameters of an address, and written as such.

Pages and other doors name their filters alike.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import QueryDict

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.filters import Known, Written, not_understood
from functions_app.domain.fleet.grid import COLUMNS
from functions_app.domain.fleet.tags import LISTED
from functions_app.domain.pasted.reading import brief
from functions_app.domain.text import storable
from functions_app.services.inventory.fleet_status import AccountFact

NONE = "none"  # stands in the address for an empty value
NEVER_EMPTY = ("account", "alias", "tag")
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
# facets that are counted where somebody opens one of them: `facet` names it
COUNTED = ("alias", "runtime", "owner", "tool", "tag")
TAGS = 10
VALUES, VALUE_LENGTH = 50, 200  # of a facet, and its characters: every link of the page repeats them
SEARCH_LENGTH = 400  # an address of the AWS console that is longer stands there as what it names
HEARD = {
    "alias": 1,
    "tag": TAGS,
    **dict.fromkeys(("account", "region", "state", "freshness", "base", "runtime", "owner", "tool"), VALUES),
}
TAG = Written(lambda value: "=" in value, "KEY=VALUE, as team=red")
Pairs = list[tuple[str, str]]


class Grain(StrEnum):
    """What has a line of its own."""

    ALIASES = "aliases"
    FUNCTIONS = "functions"


@dataclass(frozen=True)
class FleetFilter:
    """What the list shows. Several values of one facet mean any of them, of tags all; facets and words all must hold.

    With an alias the facets are what that alias is: its state, freshness, base and runtime, not the function's worst.
    """

    search: str = ""
    account: tuple[int, ...] = ()
    region: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    freshness: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    overdue: tuple[bool, ...] = ()
    alias: str = ""
    runtime: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()  # KEY=VALUE; all of them hold
    needs: str = ""  # one of NEEDS
    order: str = "problem"
    reverse: bool = False
    page: int = 1
    rows: Grain = Grain.ALIASES
    facet: str = ""  # one of COUNTED
    columns: tuple[str, ...] = ()  # of COLUMNS, in place of a person's own

    @property
    def limited(self) -> bool:
        """Whether anything was left out before the facets are counted."""
        return bool(self.alias or self.runtime or self.tag or self.narrow)

    @property
    def narrow(self) -> bool:
        """Whether functions are left out by what neither aliases nor tags have in columns of their own."""
        return bool(self.search or self.needs or self.owner or self.tool)

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

    def several(name: str, length: int = VALUE_LENGTH) -> tuple[str, ...]:
        given = filter(None, query.getlist(name))
        empty = "" if name not in NEVER_EMPTY else NONE  # what may be called "none" itself
        values = dict.fromkeys(empty if value == NONE else storable(value, length) for value in given)
        return tuple(values)[:VALUES]

    return FleetFilter(
        search=brief(storable(query.get("search", "")).strip(), SEARCH_LENGTH),
        account=tuple(keys.get(name, 0) for name in several("account")),
        region=several("region"),
        state=several("state"),
        freshness=several("freshness"),
        base=several("base"),
        overdue=tuple(value for value, word in OVERDUE.items() if word in query.getlist("overdue")),
        alias=next(iter(several("alias")), ""),
        runtime=several("runtime"),
        owner=several("owner"),
        tool=several("tool"),
        tag=several("tag", LISTED)[:TAGS],
        needs=query.get("needs", "") if query.get("needs") in NEEDS else "",
        order=order if order in SORTS else "problem",
        reverse=order in SORTS and sort != SORTS[order],
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
        rows=Grain.FUNCTIONS if query.get("rows") == Grain.FUNCTIONS else Grain.ALIASES,
        facet=query.get("facet", "") if query.get("facet") in COUNTED else "",
        columns=tuple(name for name in COLUMNS if name in query.getlist("column")),
    )


def known_filters(accounts: tuple[AccountFact, ...]) -> Known:
    """The names that this list's address may hold, each with its values."""
    return {
        **dict.fromkeys(("search", "region", "state", "base", "alias", "runtime", "owner", "tool")),
        "tag": TAG,
        "view": ("all",),  # whatever somebody's list opens with
        "account": [fact.name for fact in accounts],
        "freshness": [item.value for item in Freshness],
        "overdue": [*OVERDUE.values()],
        "needs": NEEDS,
        "facet": COUNTED,
        "rows": [item.value for item in Grain],
        "column": COLUMNS,
        "sort": [word for order in SORTS for word in (order, f"-{order}")],
    }


def left_out(query: QueryDict) -> tuple[str, ...]:
    """What is asked beside what the list is filtered by, a sentence each: other aliases, an eleventh tag."""
    said = []
    for name, most in HEARD.items():
        by = f"one {name}" if most == 1 else f"{most} values of {name} at most"
        values = [*dict.fromkeys(filter(None, query.getlist(name)))]
        said += [f"“{storable(value, 60)}” is left out: the list is filtered by {by}." for value in values[most:][:2]]
    return tuple(said)


def lost(query: str, accounts: tuple[AccountFact, ...]) -> tuple[str, ...]:
    """What a filter that was kept, or sent, asks and this list does not know, a sentence each."""
    given = QueryDict(query)
    return (*map(storable, not_understood(given.lists(), known_filters(accounts))), *left_out(given))


def as_pairs(wanted: FleetFilter, accounts: tuple[AccountFact, ...]) -> Pairs:
    """The filter as the parameters of its address, always in the same order, without the page."""
    names = {fact.pk: fact.name for fact in accounts}
    pairs = [("search", wanted.search)] if wanted.search else []
    pairs += [("account", names.get(key, "?")) for key in wanted.account]
    pairs += [("alias", wanted.alias)] if wanted.alias else []
    pairs += [("needs", wanted.needs)] if wanted.needs else []
    pairs += [("overdue", OVERDUE[value]) for value in wanted.overdue]
    for facet in ("region", "state", "freshness", "base", "runtime", "owner", "tool", "tag"):
        pairs += [(facet, value or NONE) for value in getattr(wanted, facet)]
    if wanted.reverse or wanted.order != "problem":
        pairs.append(("sort", sort_word(wanted.order, wanted.reverse)))
    if wanted.rows is not Grain.ALIASES:
        pairs.append(("rows", wanted.rows.value))
    pairs += [("column", name) for name in wanted.columns]
    return [*pairs, ("facet", wanted.facet)] if wanted.facet else pairs


def sort_word(order: str, reverse: bool) -> str:
    """The value of `sort` for an order; a leading minus reverses it."""
    word = SORTS[order]
    if not reverse:
        return word
    return word[1:] if word.startswith("-") else f"-{word}"
