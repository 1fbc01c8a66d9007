"""The parts of functions_app.web.html.elements as template tags and filters."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from functions_app import clock
from functions_app.domain.runs import StepStatus
from functions_app.web.frame import NavItem, navigation
from functions_app.web.html import elements

PLANS, IMAGES, SETTINGS = "/plans/", "/images/", "/settings/"

register = template.Library()

register.simple_tag(elements.icon, name="icon")
register.simple_tag(elements.badge, name="badge")
register.simple_tag(elements.freshness, name="freshness")
register.simple_tag(elements.copy_button, name="copy")
register.simple_tag(elements.account, name="account")
register.filter("run_status", elements.run_status)
register.filter("short", elements.short)
register.filter("bytes", elements.size)
register.filter("exact", elements.exact)
register.filter("tags", elements.tags)


@register.simple_tag
def state(value: str, reason: str = "") -> SafeString:
    """A function's state."""
    return elements.state(value, reason)


@register.filter
def step_look(status: str) -> tuple[str, str, str]:
    """A step's status: word, icon, colour class."""
    return elements.STEP_STATUS[StepStatus(status)]


@register.filter
def digest(value: str) -> SafeString:
    """A digest chip with a copy button."""
    return elements.digest(value)


@register.filter
def ago(then: datetime | None) -> SafeString:
    """A relative time with the exact one on hover."""
    return elements.ago(then)


@register.simple_tag
def server_time() -> str:
    """What time it is, for scripts: a browser's own clock may be wrong."""
    return clock.now().isoformat()


@register.filter
def item(values: Sequence[str], position: int) -> str:
    """One element of a sequence by its position."""
    return values[position]


@register.simple_tag(takes_context=True)
def nav(context: template.Context) -> list[tuple[NavItem, bool]]:
    """The left rail, and which item is the current one."""
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    if path.startswith(PLANS):
        path = reverse("functions")  # a plan is shown under its function
    if path.startswith(IMAGES):
        path = reverse("repositories")
    if path.startswith(SETTINGS):
        path = reverse("accounts")  # the first of the settings, which the rail leads to
    # Every path begins with that of the overview.
    return [(item, path == item.href if item.href == "/" else path.startswith(item.href)) for item in navigation()]


@register.simple_tag
def function_tab(name: str, pk: int) -> str:
    """The address of a function's tab."""
    return reverse(name, args=[pk])
