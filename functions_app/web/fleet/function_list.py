"""The functions list: the page people live on. Everything it shows follows from its address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.domain.fleet.grid import COLUMNS, Density
from functions_app.services.inventory.bases.base_list import Standing
from functions_app.services.inventory.beginning import beginning
from functions_app.services.inventory.fleet.function_list import FleetPage, functions
from functions_app.services.inventory.fleet.lines import lines_of
from functions_app.services.inventory.fleet.list_filter import (
    NEVER_EMPTY,
    NONE,
    OVERDUE,
    FleetFilter,
    Grain,
    Pairs,
    as_pairs,
    known_filters,
    left_out,
    read_filter,
    sort_word,
)
from functions_app.services.inventory.fleet.search import short_words
from functions_app.services.inventory.fleet_status import FleetStatus, fleet_status
from functions_app.services.inventory.tables.fleet import function_table
from functions_app.services.people import access, views
from functions_app.services.people.grids import grid_for
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.fleet.facets import EMPTY_WORDS, FACET_TITLES, NOT_OVERDUE, NOT_TOLD, address, facets
from functions_app.web.html.function_row import TITLES, Seen, function_lines
from functions_app.web.html.looks import look
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.misread import misread
from functions_app.web.page_links import page_links, table_links

NEEDS_WORDS = {
    "broken": "Broken: image gone, Failed, or the update failed",
    "endangered": "A lifecycle policy will delete a live image",
    "no-way-back": "An alias has no rollback target",
    "ending": "Base ends within 90 days",
    "ends": "Base past its end of life, or within 90 days of it",
    "moved": "Tag moved since the deploy",
    "unread": "Not read, or not in all parts",
    "unruled": "Stale, and no policy says until when",
}
CHOSEN_TITLES = {"search": "Search", "needs": "Needs attention"}
SORTED_BY = {"fn": "name", "base": "behind", "state": "problem", "changed": "changed"}  # by column
GRAINS = {Grain.ALIASES: "alias", Grain.FUNCTIONS: "function"}
NO_FILTERS = ("sort", "rows", "facet", "column", "view")
EVERYTHING = ("view", "all")  # in the address: whatever somebody's list opens with


@dataclass(frozen=True)
class Row:
    """A function with its lines, printed."""

    name: str
    html: SafeString


@dataclass(frozen=True)
class Heading:
    """A column's heading; with a link where it sorts."""

    title: str
    href: str = ""
    direction: str = ""
    column: str = "fn"

    @property
    def icon(self) -> str:
        """The arrow of its order."""
        return {"ascending": "arrow-up", "descending": "arrow-down"}.get(self.direction, "")


@require_safe
def function_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """The list, or (for htmx) what lies under its heading; whole, as CSV and JSON."""
    now = clock.now()
    opens_with = views.opens_with(request.user)
    if opens_with and not request.GET and not request.htmx:
        return redirect(f"{reverse('functions')}?{opens_with}")
    status = fleet_status(now)
    wanted = read_filter(request.GET, status.accounts)
    said = misread(request, known_filters(status.accounts), left_out(request.GET))
    if wants_table(request):
        return table_answer(request, function_table(wanted, now.date()))
    found = functions(wanted, now.date())
    everything = [EVERYTHING] if opens_with else []
    pairs = as_pairs(wanted, status.accounts) + everything
    context = {
        "fleet": status,
        "found": found,
        "misread": said,
        "facets": facets(found, wanted, pairs, status.accounts),
        "tables": table_links(request.GET),
        "clear": _home(everything),
        "pages": page_links(found.page, found.pages, lambda number: address(pairs, number)),
        **_filtered(found, wanted, pairs),
        **_grid(request, found, wanted, pairs, status, now),
        **_little(found, wanted, status),
    }
    response = page(request, "functions/list.html", context)
    if request.htmx:
        response["HX-Push-Url"] = _home(pairs, found.page)
    return response


def _home(pairs: Pairs, number: int = 1) -> str:
    """The list's whole address."""
    return (reverse("functions") + address(pairs, number)).removesuffix("?")


def _filtered(found: FleetPage, wanted: FleetFilter, pairs: Pairs) -> dict[str, object]:
    """What is asked of the list, and how many it finds by it."""
    chosen = chosen_words(pairs)
    return {
        "search": wanted.search,
        "kept": [pair for pair in pairs if pair[0] != "search"],
        "chosen": chosen,
        "counted": counted(found.total, found.fleet, filtered=bool(chosen)),
        "selected_by": urlencode([pair for pair in pairs if pair[0] not in views.OTHERS]),
    }


def _grid(
    request: HtmxHttpRequest, found: FleetPage, wanted: FleetFilter, pairs: Pairs, status: FleetStatus, now: datetime
) -> dict[str, object]:
    """The table: its lines, and its columns and density as this person has them, with what there is to choose from."""
    grid, facts = grid_for(request.user), {fact.pk: fact for fact in status.accounts}
    may_change = access.is_operator(actor_of(request))
    seen = Seen(facts, reverse("functions"), now, wanted.columns or grid.columns, may_change)
    return {
        "headings": _headings(wanted, pairs, seen.columns),
        "rows": [Row(row.name, function_lines(row, lines_of(row, wanted), seen)) for row in found.rows],
        "grains": _grains(wanted, pairs),
        "columns": [(name, TITLES[name], name in seen.columns) for name in COLUMNS],
        "density": grid.density.value,
        "densities": [(each.value, each.value.capitalize(), each is grid.density) for each in Density],
        "back": address(pairs).removeprefix("?"),
    }


def _little(found: FleetPage, wanted: FleetFilter, status: FleetStatus) -> dict[str, object]:
    """What is said where the list has little or nothing."""
    first = None if found.fleet else beginning(status, 0)
    looked = bool(wanted.search and status.synced_at)  # a search of nothing says nothing
    limited = bool(wanted.limited and status.synced_at)
    return {
        "beginning": first,
        "looked": looked,
        "short_words": short_words(wanted.search) if looked else [],
        "limited": limited,
        "unread": not (found.fleet or limited) and not (first and first.read),
    }


def counted(total: int, fleet: int, *, filtered: bool) -> tuple[int, str]:
    """How many functions are listed, and of what."""
    if not filtered:
        return fleet, "image function" if fleet == 1 else "image functions"
    if total == fleet:
        return total, "function matches" if total == 1 else "functions match"
    return total, f"of {fleet}"


def chosen_words(pairs: Pairs) -> list[tuple[str, str, str]]:
    """What is filtered by, in words, each with the address without it."""
    words = {**{item.value: look(Freshness, item).word for item in Freshness}, **NEEDS_WORDS}
    chips = []
    for pair in pairs:
        if pair[0] in NO_FILTERS:
            continue
        title = CHOSEN_TITLES.get(pair[0]) or FACET_TITLES[pair[0]]
        empty = pair[1] == NONE and pair[0] not in NEVER_EMPTY
        value = EMPTY_WORDS.get(pair[0], NOT_TOLD) if empty else words.get(pair[1], pair[1])
        if pair == ("alias", ANY):
            value = "any of production"
        if pair[0] == "overdue":
            value = look(Standing, Standing.OVERDUE).word if pair[1] == OVERDUE[True] else NOT_OVERDUE
        chips.append((title, value, address([other for other in pairs if other != pair])))
    return chips


def _headings(wanted: FleetFilter, pairs: Pairs, columns: Sequence[str]) -> list[Heading]:
    others = [pair for pair in pairs if pair[0] != "sort"]

    def heading(column: str, title: str) -> Heading:
        order = SORTED_BY.get(column)
        if not order:
            return Heading(title, column=column)
        current = wanted.order == order
        word = sort_word(order, current and not wanted.reverse)
        now = sort_word(order, wanted.reverse)
        direction = ("descending" if now.startswith("-") else "ascending") if current else ""
        return Heading(title, address(others if word == "-problem" else [*others, ("sort", word)]), direction, column)

    return [heading("fn", "Function"), *(heading(column, TITLES[column]) for column in columns)]


def _grains(wanted: FleetFilter, pairs: Pairs) -> list[tuple[str, str, bool]]:
    """What may have a line of its own: in words, with the address, and whether it is so now."""
    others = [pair for pair in pairs if pair[0] != "rows"]
    addresses = {Grain.ALIASES: others, Grain.FUNCTIONS: [*others, ("rows", Grain.FUNCTIONS.value)]}
    return [(f"A line per {GRAINS[grain]}", address(pairs), grain is wanted.rows) for grain, pairs in addresses.items()]


urlpatterns = [path("functions/", function_list, name="functions")]
