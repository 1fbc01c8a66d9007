"""Parts of the pages that show an image."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from functions_app.domain.bases.detection import Tier
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.scans import ScanState, Side
from functions_app.services.inventory.images.repositories import Use
from functions_app.web.html import elements

register = template.Library()

# How each outcome looks: icon, its word, colour. A rule forbids; advice only minds.
_OUTCOMES = {
    ("rule", True): ("circle-check", "Fine", "good"),
    ("rule", False): ("circle-x", "Broken", "bad"),
    ("rule", None): ("help-circle", "Not certain", "calm"),
    ("advice", True): ("circle-check", "Fine", "good"),
    ("advice", False): ("alert-triangle", "Could be better", "warn"),
    ("advice", None): ("help-circle", "Not known", "calm"),
    ("hint", None): ("info-circle", "To know", "calm"),
}
_TIERS = {
    Tier.EXACT: ("Exact", "circle-check", "good", "its layers are, whole and in order, those of the release"),
    Tier.ANNOTATION: ("By annotation", "tag", "info", "the image says so, and nothing speaks against it"),
    Tier.PARTIAL: ("In part", "stack-2", "info", "some of its layers are those of one stream alone"),
    Tier.HEURISTIC: ("By its settings", "adjustments", "calm", "only its settings look like a Lambda base"),
    Tier.UNKNOWN: ("Unknown", "help-circle", "calm", "nothing leads to a base"),
}
_SEVERITIES = {
    "CRITICAL": ("circle-x", "bad"),
    "HIGH": ("alert-triangle", "bad"),
    "MEDIUM": ("alert-triangle", "warn"),
}


@register.simple_tag
def check_line(check: Check) -> SafeString:
    """One check as a list item: icon with its word, name, reason."""
    icon, word, colour = _OUTCOMES[check.kind, check.ok]
    mark = elements.icon(icon, word)
    body = f"<b>{escape(check.name)}.</b> {escape(check.text)}"
    return mark_safe(f'<li><span class="{colour}">{mark}</span><span>{body}</span></li>')  # noqa: S308


@register.simple_tag
def tier(value: str) -> SafeString:
    """How a base was found, and how sure that is."""
    known = Tier(value)
    word, icon, colour, means = _TIERS[known]
    sure = f'<span class="fine">confidence {known.confidence}: {means}</span>'
    return mark_safe(f"{elements.badge(word, icon, colour)} {sure}")  # noqa: S308


@register.simple_tag
def severity(value: str) -> SafeString:
    """The severity of a finding."""
    icon, colour = _SEVERITIES.get(value, ("info-circle", "calm"))
    return elements.badge(value.capitalize(), icon, colour)


_SCANS = {
    ScanState.NOT_ASKED: ("Scan not asked for yet", "circle-dashed", "calm"),
    ScanState.NOT_SCANNED: ("Not scanned", "help-circle", "warn"),
    ScanState.IN_PROGRESS: ("Being scanned", "progress", "info"),
    ScanState.FAILED: ("Scan failed", "circle-x", "bad"),
    ScanState.UNSUPPORTED: ("Can't be scanned", "ban", "calm"),
    ScanState.UNAVAILABLE: ("Findings not available", "wifi-off", "calm"),
    ScanState.EXPIRED: ("Scan expired", "calendar-off", "warn"),
    ScanState.CLEAN: ("No findings", "shield-check", "good"),
    ScanState.OTHER: ("Scan state unknown", "help-circle", "calm"),
}
_SIDES = {
    Side.BASE: ("base", "stack-2", "info"),
    Side.APP: ("app", "box", "plain"),
    Side.UNKNOWN: ("not known", "help-circle", "calm"),
}


@register.simple_tag
def scan_state(value: ScanState, total: int = 0) -> SafeString:
    """Whether an image was scanned, and with what result."""
    if value is ScanState.FOUND:
        return elements.badge(f"{total} finding{'' if total == 1 else 's'}", "alert-triangle", "warn")
    return elements.badge(*_SCANS[value])


@register.simple_tag
def side(value: Side) -> SafeString:
    """Where a finding is."""
    return elements.badge(*_SIDES[value])


@lru_cache(maxsize=8)
def _pattern(name: str) -> str:
    """The address of a page with 0 for its key: reversing it fifty times a page would take longer than all queries."""
    return reverse(name, args=[0])


def _address(name: str, pk: int) -> str:
    return _pattern(name).replace("0", str(pk), 1)


@register.simple_tag
def image_link(pk: int, digest: str) -> SafeString:
    """An image by its short digest, as a link to its page, and a button that copies the whole."""
    whole = escape(digest)
    link = f'<a class="name mono" href="{_address("image", pk)}" title="{whole}">{elements.short(whole)}</a>'
    return mark_safe(f"{link}{elements.copy_button(digest, 'digest')}")  # noqa: S308


@register.simple_tag
def uses(found: Sequence[Use]) -> SafeString:
    """Functions that use an image, each with its versions with that image and the aliases that point to one."""
    return mark_safe(f'<ul class="uses">{"".join(_use(use) for use in found)}</ul>')  # noqa: S308


def _use(use: Use) -> str:
    numbers = ", ".join(use.versions)
    brief = f"{', '.join(use.versions[:4])} …" if len(use.versions) > 4 else numbers
    hover = f' title="{escape(numbers)}"' if brief != numbers else ""
    aliases = "".join(f' <span class="live-alias">{escape(alias)}</span>' for alias in use.aliases)
    link = f'<a href="{_address("function", use.function_id)}">{escape(use.name)}</a>'
    return f'<li>{link} <span class="sub"{hover}>{escape(brief)}</span>{aliases}</li>'
