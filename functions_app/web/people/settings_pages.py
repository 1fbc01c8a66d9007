"""The pages of Settings: what each is for and whom it is for; their index, and the tabs on each of them."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.web.http import HtmxHttpRequest, actor_of, open_to_all, page

LOOKS, ADMINISTRATORS, EVERYBODY = "looks", "administrators", "everybody"


@dataclass(frozen=True)
class SettingsPage:
    """A page of Settings: its url's name, what it is for, who changes something there; `seen_by` is who sees it."""

    tab: str
    title: str
    icon: str
    url: str
    about: str
    who: str
    seen_by: str = LOOKS


PAGES = (
    SettingsPage(
        "accounts", "Accounts", "building-bank", "accounts",
        "AWS accounts and regions that are read, which of their aliases are production, and what needs an approval.",
        "Administrators change them.",
    ),
    SettingsPage(
        "people", "People", "users", "people",
        "Who may sign in and what they may: viewer, operator, approver, administrator.",
        "For administrators.", ADMINISTRATORS,
    ),
    SettingsPage(
        "policies", "Freshness", "clock-exclamation", "policies",
        "How long a function may stay on a stale base before it is overdue.",
        "Operators change it.",
    ),
    SettingsPage(
        "pushes", "Pushes", "rocket", "push-rules",
        "Which functions are deployed, or planned, once an image is pushed.",
        "Operators change it.",
    ),
    SettingsPage(
        "sessions", "Sessions", "world", "sessions",
        "Where you are signed in, and the way to sign out there.",
        "Each their own; administrators everybody's.", EVERYBODY,
    ),
    SettingsPage(
        "tokens", "Tokens", "key", "tokens",
        "What bots and pipelines show instead of a password, and what each may do.",
        "Each their own; administrators see everybody's.",
    ),
    SettingsPage(
        "chat", "Chat", "send", "chat",
        "Which chat users are which people here, and the code that links one.",
        "Each their own; administrators see everybody's.",
    ),
    SettingsPage(
        "password", "Password", "lock", "password", "Change your own password.", "Each their own.", EVERYBODY,
    ),
    SettingsPage(
        "doctor", "Doctor", "shield-check", "doctor",
        "Whether Drydock's own parts, its accounts and its registries work, with what to do where not.",
        "For administrators.", ADMINISTRATORS,
    ),
)  # fmt: skip


def pages_for(actor: Actor) -> list[SettingsPage]:
    """The pages that somebody may open."""
    open_ones = {EVERYBODY}
    open_ones |= {LOOKS} if access.may_look(actor) else set()
    open_ones |= {ADMINISTRATORS} if access.is_administrator(actor) else set()
    return [each for each in PAGES if each.seen_by in open_ones]


@open_to_all
@require_safe
def index(request: HtmxHttpRequest) -> HttpResponse:
    """Every page of Settings that one may open, with a line of what it is for."""
    return page(request, "people/settings.html", {"pages": pages_for(actor_of(request))})


urlpatterns: list[URLPattern] = [path("settings/", index, name="settings")]
