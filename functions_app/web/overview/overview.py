"""The overview: the first page. Everything it shows follows from its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.models import Function
from functions_app.services.inventory.beginning import beginning
from functions_app.services.inventory.fleet_status import AccountFact, FleetStatus, fleet_status
from functions_app.services.inventory.overview.findings import Overview, overview
from functions_app.services.inventory.overview.last_day import last_day
from functions_app.services.inventory.overview.unread import unread
from functions_app.services.inventory.plans import waiting
from functions_app.services.people import access
from functions_app.web.html import burn_down
from functions_app.web.html.looks import look
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.overview.cards import Pairs, functions_address
from functions_app.web.overview.findings import all_clear, findings
from functions_app.web.overview.sources import sources
from functions_app.web.overview.unread import unjudged, unreachable

RANGES = (30, 90)
ACCOUNTS = 6  # more than these are folded behind the one that is chosen
WAITING = 5  # plans that are named which wait for an approval
HAPPENED = 100  # events of each kind that are read: a few are shown, the rest are counted
SCOPES = 8  # accounts and regions that are shown at once: those with problems, then the oldest
WORST_FIRST = (Freshness.END_OF_LIFE, Freshness.STALE, Freshness.UNKNOWN, Freshness.CURRENT)


@dataclass(frozen=True)
class Part:
    """One part of the freshness bar: `x` and `width` in per cent of it."""

    css: str
    word: str
    icon: str
    count: int
    share: str
    x: float
    width: float
    href: str


@dataclass(frozen=True)
class Choice:
    """A link that narrows the page."""

    label: str
    href: str
    chosen: bool
    account: AccountFact | None = None


@require_safe
def show(request: HtmxHttpRequest) -> HttpResponse:
    """What needs attention, how fresh the fleet is, and how old what is shown is."""
    now = clock.now()
    status = fleet_status(now)
    account = next((fact for fact in status.accounts if fact.name == request.GET.get("account")), None)
    days = _range(request.GET)
    found = overview(now, days=days, account_id=account.pk if account else None)
    kept: Pairs = [("account", account.name)] if account else []
    scopes = sorted(
        (scope for scope in status.scopes if not account or scope.account == account.name),
        key=lambda scope: (scope.problem is None, scope.synced_at is not None, scope.synced_at or now),
    )
    facts = {fact.pk: fact for fact in status.accounts}
    first = beginning(status, found.functions)
    missing = unread(found.sources, account.pk if account else None)
    cards = [
        *unreachable(status, scopes),
        *findings(found, facts, kept, now.date()),
        *unjudged(found, missing, facts, kept, reading=bool(first and first.moves and first.first)),
    ]
    context: dict[str, Any] = {
        "fleet": status,
        "found": found,
        "day": last_day(now, account.pk if account else None, HAPPENED),
        "may_change": access.is_operator(actor_of(request)),
        "beginning": first,
        "account": account,
        "findings": sorted(cards, key=lambda card: card.level == "calm"),
        "accounts": _accounts(status, account, days),
        "many_accounts": len(status.accounts) > ACCOUNTS,
        "ranges": [Choice(f"{each} days", _own(kept, each), each == days) for each in RANGES],
        "bar": _bar(found.freshness, found.functions, kept),
        "production": _not_well(found, kept),
        "stale_in": _stale_in(status, account) if found.freshness[Freshness.STALE.value] else [],
        "drawing": burn_down.draw(found.burn_down),
        "sources": sources(found.sources),
        "scopes": scopes[:SCOPES],
        "more_scopes": scopes[SCOPES:],
        "waiting": waiting(actor_of(request), WAITING),
        "more_runs": max(0, status.running - len(found.runs)),
        "all_clear": all_clear(found.functions, found.sources.forecasts, found.freshness[Freshness.STALE.value]),
    }
    return page(request, "overview/overview.html", context)


def _range(query: QueryDict) -> int:
    return next((days for days in RANGES if query.get("days") == str(days)), RANGES[0])


def _own(kept: Pairs, days: int) -> str:
    pairs = [*kept, *([("days", str(days))] if days != RANGES[0] else [])]
    return f"{reverse('overview')}?{urlencode(pairs)}" if pairs else reverse("overview")


def _accounts(status: FleetStatus, chosen: AccountFact | None, days: int) -> list[Choice]:
    if len(status.accounts) < 2:
        return []
    each = [Choice(fact.name, _own([("account", fact.name)], days), fact == chosen, fact) for fact in status.accounts]
    return [Choice("All accounts", _own([], days), chosen is None), *each]


def _stale_in(status: FleetStatus, chosen: AccountFact | None) -> list[Choice]:
    """Account by account where its stale functions are; none where the page is of one, or there are too many."""
    if chosen or not 1 < len(status.accounts) <= ACCOUNTS:
        return []
    stale = ("freshness", Freshness.STALE.value)
    return [
        Choice(fact.name, functions_address([("account", fact.name), stale]), False, fact) for fact in status.accounts
    ]


def _not_well(found: Overview, kept: Pairs) -> list[Part]:
    """How many functions have production aliases that are not known to be current; those that are where all are."""
    parts = _bar(found.production, found.functions, [*kept, ("alias", ANY)])
    return [part for part in parts if part.word != look(Freshness, Freshness.CURRENT).word] or parts


def _bar(freshness: Mapping[str, int], functions: int, kept: Pairs) -> list[Part]:
    """How many of the functions stand how: the worst at the left."""
    bar, x = [], 0.0
    for value in WORST_FIRST:
        count = freshness[value.value]
        if not count:
            continue
        like = look(Freshness, value)
        width = count / functions * 100
        share = f"{width:.0f} %" if width >= 1 else "under 1 %"
        href = functions_address([*kept, ("freshness", value.value)])
        bar.append(Part(like.colour, like.word, like.icon, count, share, round(x, 3), round(width, 3), href))
        x += width
    return bar


@require_safe
def beginning_now(request: HtmxHttpRequest) -> HttpResponse:
    """What an empty page says, as it is now; once everything was read, the page that asks is to read itself anew."""
    status = fleet_status(clock.now())
    first = beginning(status, int(Function.objects.filter(gone_at=None).exists()))
    if not request.htmx:
        return HttpResponseRedirect(reverse("overview"))
    if first is None or first.read:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    answer = render(request, "_beginning.html", {"beginning": first, "fleet": status})
    answer["HX-Trigger"] = "drydock:read"  # what else the page shows follows, too
    return answer


urlpatterns = [path("", show, name="overview"), path("beginning/", beginning_now, name="beginning")]
