"""The lines of a function in the list. Fifty of ten variables would be half of the page's time in a template."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.domain.bases.freshness import Freshness
from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet.lines import Line, Lines
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.aliases import alias
from functions_app.web.html.amounts import behind
from functions_app.web.html.badges import freshness, freshness_mark, looking, overdue_mark, state, update_status
from functions_app.web.html.chips import account, digest, owner
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.icons import icon
from functions_app.web.html.looks import Attention, look
from functions_app.web.html.times import TIME, parts

SHOWN_LINES = 8  # of a function; its own page has them all
QUIET_UPDATES = ("Successful", "")  # whatever else there is, is told
PARTLY_READ = "Some of it could not be read: its page says what and why"
FIRST = (
    '<tr data-row id="f{pk}"{look}><th scope="row" class="fn">'
    '<label class="pick"><input class="form-check-input" type="checkbox" form="selection" name="function" value="{pk}" '
    'aria-label="Select {name}" autocomplete="off"></label>'
    '<a class="name" href="{home}{pk}/" title="{name}" hx-boost="false">{name}</a>{why}</th>{cells}</tr>'
)
NEXT = (
    '<tr id="f{pk}-{alias}" class="same{look}"><th scope="row" class="fn">'
    '<span class="visually-hidden">{name}</span></th>{cells}</tr>'
)
CELL, END_OF_CELL = '<td data-h="{}" class="{}">', SafeString("</td>")
WHY = '<details class="reasons"><summary title="{}" aria-label="Why: {}">{}</summary><ul class="says">{}</ul></details>'
BASE = '<a class="base-name" href="{}" title="{}" hx-boost="false">{}</a>'
PATCH = (
    '<a class="patch" href="{home}{pk}/patch/" title="Patch {name}" aria-label="Patch {name}" hx-boost="false">'
    "{icon}</a>"
)
# Of the form of the checkboxes, which has a token: a plan is a click away.
PLAN = (
    '<button type="submit" class="patch" form="selection" formaction="{home}{pk}/patch/" name="digest" '
    'value="{digest}" title="Plan the patch of {name}" aria-label="Plan the patch of {name}">{icon}</button>'
)
STANDS, END = SafeString('<span class="stands">'), SafeString("</span>")  # how far behind, and on what
SECOND = '<span class="br">{}</span>'  # of a split, beneath the first
TWO = {True: SafeString(' class="two"'), False: SafeString(" two")}  # lines of text: both versions of a split


class Seen(NamedTuple):
    """What lines are drawn by, the same for a whole page."""

    accounts: Mapping[int, AccountFact]
    home: str  # the list's own address
    now: datetime
    columns: Sequence[str]
    may_change: bool = False


class _Drawn(NamedTuple):
    """A line that is drawn: of which function, whether it is its first, and how many others are not shown beside it."""

    row: FunctionRow
    line: Line
    seen: Seen
    first: bool
    others: Sequence[Line]


def function_lines(row: FunctionRow, lines: Lines, seen: Seen) -> SafeString:
    """One function: a line each for what is shown of it; what it has once stands in the first."""
    shown, left = lines.shown[:SHOWN_LINES], [*lines.shown[SHOWN_LINES:], *lines.others]
    drawn = NOTHING
    for line in shown:
        first = line is shown[0]
        around = _Drawn(row, line, seen, first, left if first else ())
        cells = (part for name in seen.columns for part in (_cell(name), COLUMNS[name](around), END_OF_CELL))
        parts_of_it = {
            "pk": known(str(row.pk)),
            "name": known(row.name),
            "look": TWO[first] if line.second_version and line.second_weight else NOTHING,
            "cells": SafeString("".join(cells)),
        }
        if first:
            drawn += format_html(FIRST, home=known(seen.home), why=_why(row, shown), **parts_of_it)
        else:
            drawn += format_html(NEXT, alias=known(line.alias), **parts_of_it)
    return drawn


@lru_cache
def _cell(name: str) -> SafeString:
    return format_html(CELL, TITLES[name], name)


def _why(row: FunctionRow, shown: Sequence[Line]) -> SafeString:
    """What is wrong with it and with each line, on hover and where somebody opens it; nothing where all is well."""
    said = [row.problem] if row.problem else []
    bad = [line for line in shown if line.freshness != Freshness.CURRENT and line.reason not in row.problem]
    said += [f"{line.alias}: {line.reason}" if line.alias else line.reason for line in bad]
    said += [text for text in (row.state_reason, row.last_update_reason) if text and text not in row.problem]
    return _reasons(tuple(dict.fromkeys(said)), row.name) if said else NOTHING


@lru_cache(maxsize=1024, typed=True)
def _reasons(said: tuple[str, ...], name: str) -> SafeString:
    items = format_html_join("", "<li>{}</li>", ((text,) for text in said))
    return format_html(WHY, said[0], name, icon("chevron-right"), items)


def _account(drawn: _Drawn) -> SafeString:
    fact = drawn.seen.accounts.get(drawn.row.account) if drawn.first else None
    return _place(fact.name, fact.colour, drawn.row.region) if fact else NOTHING


@lru_cache(maxsize=256, typed=True)
def _place(name: str, colour: str, region: str) -> SafeString:
    return format_html('<span title="{}, {}">{}</span>', name, region, account(name, colour))


def _region(drawn: _Drawn) -> SafeString:
    return known(drawn.row.region) if drawn.first else NOTHING


def _alias(drawn: _Drawn) -> SafeString:
    line = drawn.line
    return alias(
        line.alias,
        line.version,
        line.second_version,
        float(line.second_weight),
        freshness_mark(line.second_freshness) if line.second_freshness else NOTHING,
        kept=line.kept,
        drifted=line.drifted,
        unread=line.unread,
        others=tuple(f"{other.alias} → {other.version}" for other in drawn.others),
    )


def _digest(drawn: _Drawn) -> SafeString:
    line = drawn.line
    if line.second_version and line.second_weight:
        return digest(line.digest) + format_html(SECOND, digest(line.second_digest))
    return digest(line.digest)


def _base(drawn: _Drawn) -> SafeString:
    line, row = drawn.line, drawn.row
    today = drawn.seen.now.date()
    late = line.overdue_on if line.overdue_on and line.overdue_on <= today else None
    behind_by = line.releases_behind, line.days_behind
    verdict = _verdict(line.freshness, line.reason, *behind_by, late, today if late else None)
    patch = NOTHING
    if line.freshness == Freshness.STALE and not line.kept:
        patch = format_html(
            PLAN if drawn.seen.may_change else PATCH,
            home=known(drawn.seen.home),
            pk=row.pk,
            name=known(row.name),
            digest=known(line.digest),
            icon=icon("layers-subtract"),
        )
    return STANDS + verdict + (_base_link(line.base) if line.base else NOTHING) + END + patch


@lru_cache(maxsize=4096, typed=True)
def _verdict(value: str, reason: str, releases: int, days: int, late: date | None, today: date | None) -> SafeString:
    """How far behind in days; the releases, and why, on hover."""
    far = behind(releases, days) if value == Freshness.STALE else ""
    badge = freshness(value, ": ".join(filter(None, (far, reason))), 0, days)
    return badge + overdue_mark(late, today) if late and today else badge


@lru_cache(maxsize=256, typed=True)
def _base_link(name: str) -> SafeString:
    return format_html(BASE, reverse("base-named", args=[name]), name, name)


def _state(drawn: _Drawn) -> SafeString:
    row, line = drawn.row, drawn.line
    badge = state(line.state, row.state_reason if line.state == row.state else "")
    if not drawn.first:
        return badge
    if row.partly_read and row.state:
        badge = format_html("{} {}", badge, looking(look(Attention, Attention.UNREAD), PARTLY_READ))
    if row.last_update_status not in QUIET_UPDATES:
        return format_html("{} {}", badge, update_status(row.last_update_status, row.last_update_reason))
    return badge


def _deployed(drawn: _Drawn) -> SafeString:
    line = drawn.line
    time = format_html(TIME, **parts(line.at or drawn.row.last_modified, drawn.seen.now))
    return time + _by(line.by) if line.by else time


@lru_cache(maxsize=256, typed=True)
def _by(name: str) -> SafeString:
    return format_html(' <span class="by" title="by {0}">{0}</span>', name)


def _changed(drawn: _Drawn) -> SafeString:
    return format_html(TIME, **parts(drawn.row.last_modified, drawn.seen.now)) if drawn.first else NOTHING


def _owner(drawn: _Drawn) -> SafeString:
    return owner(drawn.row.owner) if drawn.first else NOTHING


def _tool(drawn: _Drawn) -> SafeString:
    return known(drawn.row.managed_by) if drawn.first else NOTHING


TITLES = {
    "account": "Account",
    "region": "Region",
    "alias": "Alias",
    "digest": "Digest",
    "base": "Base",
    "state": "State",
    "deployed": "Deployed",
    "changed": "Changed",
    "owner": "Owner",
    "tool": "Tool",
}
COLUMNS: Mapping[str, Callable[[_Drawn], SafeString]] = {
    "account": _account,
    "region": _region,
    "alias": _alias,
    "digest": _digest,
    "base": _base,
    "state": _state,
    "deployed": _deployed,
    "changed": _changed,
    "owner": _owner,
    "tool": _tool,
}
