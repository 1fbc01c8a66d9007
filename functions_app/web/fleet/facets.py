"""The facets beside the functions list: each with its values, what they would leave, and where they lead."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.services.inventory.fleet.function_list import FleetPage
from functions_app.services.inventory.fleet.list_filter import COUNTED, NONE, OVERDUE, FleetFilter, Pairs
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.badges import freshness, overdue
from functions_app.web.html.chips import account
from functions_app.web.html.facet_values import FacetValue

FACET_TITLES = {
    "freshness": "Freshness",
    "overdue": "Policy",
    "state": "State",
    "account": "Account",
    "region": "Region",
    "base": "Base image",
    "alias": "Alias",
    "runtime": "Runtime",
    "owner": "Owner",
    "tool": "Tool",
    "tag": "Tag",
}
EMPTY_WORDS = {"state": "Not read yet", "base": "No base found", "runtime": "Not known"}
NOT_OVERDUE = "Not overdue"
ANY_OF_PRODUCTION = "Any of production"
NOT_TOLD = "None"  # a facet whose value is empty, where nothing is without one
SHOWN_VALUES = 8
FRESHNESS_ORDER = [Freshness.END_OF_LIFE, Freshness.STALE, Freshness.UNKNOWN, Freshness.CURRENT]


@dataclass(frozen=True)
class Facet:
    """A facet with the values that would leave something; one that is counted on demand is opened by its address."""

    name: str
    title: str
    values: tuple[FacetValue, ...] = ()
    more: tuple[FacetValue, ...] = ()
    href: str = ""
    open: bool = True

    @property
    def icon(self) -> str:
        """The arrow of one that is opened by its address."""
        return "chevron-down" if self.open else "chevron-right"


def address(pairs: Pairs, number: int = 1) -> str:
    """The list's address with this filter, from its question mark on."""
    every = [*pairs, ("page", str(number))] if number > 1 else pairs
    return f"?{'&'.join(map(_encoded, every))}"


@lru_cache(maxsize=4096)
def _encoded(pair: tuple[str, str]) -> str:
    """Of two hundred addresses on a page, all but a pair or two are those of the others."""
    return urlencode([pair])


def facets(found: FleetPage, wanted: FleetFilter, pairs: Pairs, accounts: tuple[AccountFact, ...]) -> list[Facet]:
    """All of them; of COUNTED the one that is open with its values."""
    facts = {fact.pk: fact for fact in accounts}
    drawn = []
    for name, title in FACET_TITLES.items():
        others = [pair for pair in pairs if pair[0] != "facet"]
        if name in COUNTED and wanted.facet != name:
            values, href = _always(name, wanted, others), address([*others, ("facet", name)])
            drawn.append(Facet(name, title, values, href=href, open=False))
            continue
        counts, chosen = found.counts[name], _chosen_of(name, wanted)
        counts |= {value: 0 for value in chosen if value not in counts}
        values = tuple(
            _value(name, value, counts[value], value in chosen, pairs, facts) for value in _ordered(name, counts, facts)
        )
        if name in COUNTED:
            drawn.append(Facet(name, title, values[:SHOWN_VALUES], values[SHOWN_VALUES:], address(others)))
        elif values and (name != "overdue" or counts.get(True) or chosen):  # no policy, nothing to tell apart
            drawn.append(Facet(name, title, values[:SHOWN_VALUES], values[SHOWN_VALUES:]))
    return drawn


def _always(name: str, wanted: FleetFilter, pairs: Pairs) -> tuple[FacetValue, ...]:
    """What is a click away in a facet that nobody has opened: production, whatever its aliases are called."""
    return (_value("alias", ANY, None, wanted.alias == ANY, pairs, {}),) if name == "alias" else ()


def _chosen_of(name: str, wanted: FleetFilter) -> tuple[Any, ...]:
    if name == "alias":
        return (wanted.alias,) if wanted.alias else ()
    return tuple(getattr(wanted, name))


def _value(
    name: str, value: Any, count: int | None, chosen: bool, pairs: Pairs, facts: dict[int, AccountFact]
) -> FacetValue:
    word = _word(name, value, facts)
    pair = (name, word)
    others = [other for other in pairs if other != pair and (name != "alias" or other[0] != "alias")]
    return FacetValue(
        id=f"facet-{name}-{word}".replace(" ", "-"),
        label=_label(name, value, facts),
        count=count,
        chosen=chosen,
        href=address(others if chosen else [*others, pair]),
    )


def _word(name: str, value: Any, facts: dict[int, AccountFact]) -> str:
    """A facet's value as it stands in the address."""
    if name == "overdue":
        return OVERDUE[value]
    return facts[value].name if name == "account" and value in facts else str(value or NONE)


def _ordered(name: str, counts: dict[Any, int], facts: dict[int, AccountFact]) -> list[Any]:
    """Chosen or not, a value keeps its place: by severity for freshness, by frequency or name elsewhere."""
    if name == "freshness":
        return [value for value in FRESHNESS_ORDER if value in counts]
    if name == "account":
        return sorted(counts, key=lambda key: facts[key].name if key in facts else "")
    if name == "overdue":
        return sorted(counts, reverse=True)
    if name in COUNTED:
        return sorted(counts, key=lambda value: (value != ANY, -counts[value], value))
    return sorted(counts, key=lambda value: (value == "", value))


def _label(name: str, value: Any, facts: dict[int, AccountFact]) -> str | SafeString:
    if name == "account":
        return account(facts[value].name, facts[value].colour) if value in facts else "Unknown account"
    if name == "freshness":
        return freshness(value)
    if name == "overdue":
        return overdue() if value else NOT_OVERDUE
    if name == "alias" and value == ANY:
        return ANY_OF_PRODUCTION
    return str(value) or EMPTY_WORDS.get(name, NOT_TOLD)
