"""The parts that every page is made of (web/html) as template tags and filters."""

from collections.abc import Mapping, Sequence

from django import template
from django.http import HttpRequest
from django.template.defaultfilters import stringfilter
from django.urls import reverse

from functions_app import clock
from functions_app.domain import audit_words, durations, text
from functions_app.services.people import actor
from functions_app.services.people.actor import Actor
from functions_app.web.frame import NavItem, rail, rail_count
from functions_app.web.html import (
    amounts,
    badges,
    breaks,
    burn_down,
    checks,
    chips,
    facet_values,
    icons,
    log_rows,
    run_row,
    terms,
    times,
    trails,
)
from functions_app.web.people.settings_pages import SettingsPage, pages_for

register = template.Library()

register.simple_tag(icons.icon, name="icon")
register.simple_tag(badges.badge, name="badge")
register.simple_tag(badges.counted, name="counted")
register.simple_tag(badges.freshness, name="freshness")
register.simple_tag(badges.overdue, name="overdue")
register.simple_tag(badges.state, name="state")
register.simple_tag(badges.update_status, name="update_status")
register.simple_tag(checks.plan_check_line, name="plan_check_line")
register.simple_tag(checks.remark_line, name="remark_line")
register.simple_tag(checks.verdict_line, name="plan_verdict")
register.simple_tag(chips.copy_button, name="copy")
register.simple_tag(facet_values.facet_values, name="facet_values")
register.simple_tag(log_rows.log_rows, name="log_rows")
register.simple_tag(run_row.run_rows, name="run_rows")
register.simple_tag(burn_down.day_bars, name="day_bars")
register.simple_tag(burn_down.day_rows, name="day_rows")
register.simple_tag(chips.account, name="account")
register.simple_tag(trails.trail, name="trail")
register.filter("run_status", badges.run_status)
register.filter("run_look", badges.run_look)
register.filter("step_look", badges.step_look)
register.filter("digest", chips.digest)
register.filter("short", chips.short)
register.filter("short_digests", chips.short_digests)
register.filter("tags", chips.tags)
register.filter("breakable", stringfilter(breaks.breakable))
register.filter("bytes", amounts.size)
register.filter("ms", durations.span_of_ms)
register.filter("exact", times.exact)
register.filter("ago", times.ago)
register.simple_tag(times.built, name="built")
register.filter("named", actor.named)
register.filter("sentence", text.sentence)
register.filter("audit_words", audit_words.in_words)


@register.inclusion_tag("_help.html")
def help(name: str) -> dict[str, terms.Term]:
    """What a word means, to be opened beside the thing."""
    return {"term": terms.TERMS[name]}


@register.simple_tag
def server_time() -> str:
    """What time it is, for scripts: a browser's own clock may be wrong."""
    return clock.now().isoformat()


@register.filter
def item(values: Sequence[str], position: int) -> str:
    """One element of a sequence by its position."""
    return values[position]


@register.filter
def at(values: Mapping[str, object], key: str) -> object:
    """What a mapping has there, or None."""
    return values.get(key)


register.simple_tag(rail_count, name="rail_count")


@register.simple_tag(takes_context=True)
def nav(context: template.Context) -> list[tuple[NavItem, bool]]:
    """The left rail, and which item is the current one."""
    request: HttpRequest | None = context.get("request")
    return rail(request.path if request else "")


@register.simple_tag(takes_context=True)
def settings_pages(context: template.Context) -> list[SettingsPage]:
    """The pages of Settings that whoever looks may open."""
    return pages_for(Actor.in_browser(context["user"]))


@register.simple_tag
def function_tab(name: str, pk: int) -> str:
    """The address of a function's tab."""
    return reverse(name, args=[pk])
