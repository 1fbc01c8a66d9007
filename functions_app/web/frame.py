"""What stands around every page: the rail, the age of the data, running runs, what is wrong with clocks and workers."""

from dataclasses import dataclass
from functools import lru_cache

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from functions_app import clock
from functions_app.domain.text import counted
from functions_app.services.engine import clocks, pulses
from functions_app.services.inventory.fleet_status import FleetStatus, fleet_status
from functions_app.services.people import access
from functions_app.services.people.actor import Actor


@dataclass(frozen=True)
class NavItem:
    """One entry of the left rail; `key` follows `g` on the keyboard."""

    title: str
    icon: str
    href: str
    key: str


RAIL = (
    ("Overview", "layout-dashboard", "overview", "o"),
    ("Functions", "lambda", "functions", "f"),
    ("Repositories", "packages", "repositories", "r"),
    ("Base images", "stack-back", "bases", "b"),
    ("Runs", "player-play", "runs", "u"),
    ("Audit", "list-details", "audit", "a"),
    ("Settings", "settings", "settings", "s"),
)


# Where pages stand that have no entry of their own: a plan under its function, the list of them under the runs.
UNDER = {"/plans/": "functions", "/images/": "repositories", "/api/": "settings"}
ALONE = {"/plans/": "runs"}


@lru_cache(maxsize=1)
def _entries() -> tuple[NavItem, ...]:
    return tuple(NavItem(title, icon, reverse(name), key) for title, icon, name, key in RAIL)


def rail(path: str) -> list[tuple[NavItem, bool]]:
    """The rail's entries, and which of them stands for this path."""
    under = ALONE.get(path) or next((name for start, name in UNDER.items() if path.startswith(start)), "")
    place = reverse(under) if under else path
    # Every path begins with that of the overview.
    return [(item, place == item.href if item.href == "/" else place.startswith(item.href)) for item in _entries()]


@dataclass(frozen=True)
class RailCount:
    """How many of what an entry leads to need attention."""

    number: int
    says: str
    href: str
    css: str


def rail_count(fleet: FleetStatus, key: str) -> RailCount | None:
    """The count beside the entry of this key; None where nothing needs attention."""
    broken, unread = fleet.broken, len(fleet.problems)
    if key == "f" and broken:
        words = counted(broken, "broken function", "broken functions")
        return RailCount(broken, words, f"{reverse('functions')}?needs=broken", "bad")
    if key == "s" and unread:
        return RailCount(unread, f"{counted(unread, 'region')} not readable", reverse("accounts"), "warn")
    return None


def page_frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: the `fleet`'s status, whether one `looks` and is an `operator`; only when asked."""

    def status() -> FleetStatus:
        return fleet_status(clock.now()) if access.may_look(actor) else FleetStatus.empty()

    actor = Actor.in_browser(request.user)
    return {
        "fleet": SimpleLazyObject(status),
        "looks": SimpleLazyObject(lambda: access.may_look(actor)),
        "operator": SimpleLazyObject(lambda: access.is_operator(actor)),
        "clocks": clocks.remembered(),
        "engine_troubles": pulses.remembered(),
    }
