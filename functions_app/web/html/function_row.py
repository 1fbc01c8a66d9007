"""A row of the functions list. Fifty rows of nine variables would be half of the page's time in a template."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain.bases.freshness import Freshness
from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.aliases import ALIASES, lines
from functions_app.web.html.badges import freshness, looking, overdue, state, update_status
from functions_app.web.html.chips import account, owner
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.looks import Attention, look
from functions_app.web.html.times import TIME, parts

SHOWN_ALIASES = 4
QUIET_UPDATES = ("Successful", "")  # whatever else there is, is told
PARTLY_READ = "Some of it could not be read: its page says what and why"
ROW = (
    '<tr data-row id="f{pk}"><th scope="row"><div class="who">'
    '<a class="name" href="{home}{pk}/" hx-boost="false">{name}</a>{place}</div>{problem}</th>'
    '<td data-h="Aliases">' + ALIASES + "</td>"
    '<td data-h="Base" class="base">{base}{base_name}{patch}</td><td data-h="State">{state}</td>'
    '<td data-h="Changed" class="nb">' + TIME + '</td><td data-h="Owner">{owner}</td></tr>'
)
PATCH = (
    ' <a class="patch" href="{home}{pk}/patch/" hx-boost="false">Patch<span class="visually-hidden"> {name}</span></a>'
)
ROWS = {True: ROW.replace("{patch}", PATCH), False: ROW.replace("{patch}", "")}  # by whether its base is stale


def function_row(row: FunctionRow, accounts: Mapping[int, AccountFact], home: str, now: datetime) -> SafeString:
    """One function; `home` is the list's own address.

    One format for all: each call of format_html costs as much as three fields.
    """
    fact = accounts.get(row.account)
    return format_html(
        ROWS[row.freshness == Freshness.STALE],
        pk=known(str(row.pk)),
        home=known(home),
        name=known(row.name),
        place=_place(fact.name, fact.colour, row.region) if fact else _place("", "", row.region),
        problem=_problem(row.problem) if row.problem else NOTHING,
        lines=lines(row.aliases, row.digest, SHOWN_ALIASES),
        base=_base(row, now),
        base_name=_base_link(row.base_name) if row.base_name else NOTHING,
        state=_state(row),
        **parts(row.last_modified, now),
        owner=owner(row.owner),
    )


@lru_cache(maxsize=256, typed=True)
def _place(name: str, colour: str, region: str) -> SafeString:
    chip = account(name, colour) if name else NOTHING
    return format_html('<span class="place">{}<span class="sub">{}</span></span>', chip, region)


@lru_cache(maxsize=1024, typed=True)
def _problem(text: str) -> SafeString:
    return format_html('<span class="why" title="{0}">{0}</span>', text)


def _base(row: FunctionRow, now: datetime) -> SafeString:
    says = freshness(row.freshness, row.freshness_reason, row.releases_behind, row.days_behind)
    if row.overdue_on and row.overdue_on <= now.date():
        says += overdue(row.overdue_on, now.date())
    return says


@lru_cache(maxsize=256, typed=True)
def _base_link(name: str) -> SafeString:
    return format_html('<a class="sub" href="{}" hx-boost="false">{}</a>', reverse("base-named", args=[name]), name)


def _state(row: FunctionRow) -> SafeString:
    badge = state(row.state, row.state_reason)
    if row.partly_read and row.state:
        badge = format_html("{} {}", badge, looking(look(Attention, Attention.UNREAD), PARTLY_READ))
    if row.last_update_status not in QUIET_UPDATES:
        return format_html("{} {}", badge, update_status(row.last_update_status, row.last_update_reason))
    return badge
