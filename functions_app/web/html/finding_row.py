"""Findings of a scan, a row each: a hundred of them would be most of an image's page in a template."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from functions_app.domain.images.scans import Finding, FindingPlace, Placed
from functions_app.web.html.badges import severity, side
from functions_app.web.html.escaped import NOTHING, known

ROW = (
    '<tr><th scope="row" class="wrap">{name}{title}</th><td data-h="Severity">{severity}</td>'
    '<td data-h="In">{side}<span class="why">{reason}</span></td><td data-h="Package" class="wrap">{places}</td></tr>'
)
LINK = '<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>'
TITLE = ' <span class="why">{}</span>'
PLACE = '<span class="where">{} {}{}{}</span>'
FIXED = ' <span class="sub">fixed in {}</span>'
PATH = ' <span class="sub mono">{}</span>'
NO_PLACE = '<span class="muted">{}</span>'
SHOWN_TITLE = 140  # characters


def finding_rows(findings: Iterable[Placed]) -> SafeString:
    """The findings that are shown."""
    return SafeString("".join(map(_row, findings)))


def _row(placed: Placed) -> SafeString:
    finding = placed.finding
    return format_html(
        ROW,
        name=format_html(LINK, finding.uri, finding.name) if finding.uri else finding.name,
        title=_title(finding),
        severity=severity(finding.severity),
        side=side(placed.side),
        reason=known(placed.reason),
        places=_places(finding.places),
    )


def _title(finding: Finding) -> SafeString:
    title = finding.title
    if not title or title == finding.name:
        return NOTHING
    return format_html(TITLE, title if len(title) <= SHOWN_TITLE else str(Truncator(title).chars(SHOWN_TITLE)))


def _places(places: Iterable[FindingPlace]) -> SafeString:
    return format_html_join(" ", PLACE, map(_place, places)) or format_html(NO_PLACE, "none named")


def _place(place: FindingPlace) -> tuple[SafeString, ...]:
    fixed = format_html(FIXED, place.fixed_in) if place.fixed_in else NOTHING
    path = format_html(PATH, place.path) if place.path else NOTHING
    return known(place.package), known(place.version), fixed, path
