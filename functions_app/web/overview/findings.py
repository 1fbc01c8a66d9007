"""What the overview's findings say: each kind of trouble in words, with the worst few and the list of all."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from django.urls import reverse

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.states import RANK_DRIFTED
from functions_app.domain.text import counted
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.services.inventory.overview.findings import Ending, Named, NoWayBack, Overview
from functions_app.web.html.looks import Attention, look
from functions_app.web.overview.cards import Card, Line, Pairs, functions_address


def all_clear(functions: int, forecasts: int, stale: int) -> str:
    """What was looked at where nothing needs attention, and what is stale all the same."""
    looked = (
        f"Looked at: {counted(functions, 'function')} for broken images, failed updates, moved tags, inactivity, "
        "policies and ends of life"
    )
    repositories = counted(forecasts, "repository", "repositories")
    read = f"; {repositories} for what their lifecycle policies would delete" if forecasts else ""
    words = f"{looked}{read or '. No lifecycle forecast was read yet'}."
    if not stale:
        return words
    return f"{words} {counted(stale, 'runs', 'run')} on a stale base, for no longer than the policy allows."


def findings(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs, today: date) -> Iterator[Card]:
    """Those that found something, the worst kind first. `kept` is what the page itself is narrowed to."""
    stuck = _stuck(found, accounts, kept)
    every = [
        _broken(found, accounts, kept),
        _endangered(found, accounts, kept),
        _inactive(found, accounts, kept),
        _overdue(found, accounts, kept, today),
        _ending(found, kept),
        _drifted(found, accounts, kept),
    ]
    # Aliases that had a way back and lost it are at risk; to be on a first version is no news.
    every.insert(2 if found.stuck.lost else len(every), stuck)
    return (each for each in every if each.count)


def _broken(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    count = found.broken.count
    return Card(
        "broken",
        look(Attention, Attention.BROKEN),
        count,
        f"{counted(count, 'function')} broken",
        "Calls fail or will at the next cold start: image gone, state Failed, or the last update failed.",
        tuple(_line(row, row.why, accounts) for row in found.broken.named),
        functions_address([*kept, ("needs", "broken")]),
        count - len(found.broken.named),
    )


def _endangered(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    functions, shown = found.endangered.functions, found.endangered.named
    owners = {fact.name: fact for fact in accounts.values()}
    return Card(
        "endangered",
        look(Attention, Attention.ENDANGERED),
        functions,
        f"{counted(functions, 'function')} will lose {'its' if functions == 1 else 'their'} live image",
        "A lifecycle policy takes it away within a day. Change the rule, or tag the image so that no rule takes it.",
        tuple(
            Line(
                row.use.function,
                reverse("function", args=[row.use.function_id]),
                row.text,
                owners.get(row.use.account),
                aside="Forecast",
                aside_href=f"{reverse('repository', args=[row.repository_id])}#forecast",
            )
            for row in shown
        ),
        functions_address([*kept, ("needs", "endangered")]),
        found.endangered.versions - len(shown),
    )


def _stuck(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    count, lost = found.stuck.count, found.stuck.lost
    first = count - lost
    says = f"{lost} lost every earlier version, or its image: deleted, or archived." if lost else ""
    if first:
        whose = "its" if first == 1 else "their"
        says += f" {first if lost else 'All'} still on {whose} first version: nothing was published before it."
    return Card(
        "no-way-back",
        look(Attention, Attention.WAY_BACK_LOST if lost else Attention.FIRST_VERSION),
        count,
        f"{counted(count, 'alias', 'aliases')} without a rollback target",
        says.strip(),
        tuple(
            Line(
                f"{row.function} {row.alias}",
                reverse("function", args=[row.function_id]),
                _why_stuck(row),
                accounts.get(row.account),
            )
            for row in found.stuck.named
        ),
        functions_address([*kept, ("needs", "no-way-back")]),
        count - len(found.stuck.named),
    )


def _why_stuck(row: NoWayBack) -> str:
    return f"{counted(row.lost, 'earlier version')}, none of which can be used." if row.lost else ""


def _inactive(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    count = found.inactive.count
    return Card(
        "inactive",
        look(Attention, Attention.INACTIVE),
        count,
        f"{counted(count, 'function')} inactive",
        "The next call is refused and wakes the function, which takes up to minutes.",
        tuple(_line(row, "", accounts) for row in found.inactive.named),
        functions_address([*kept, ("state", "Inactive")]),
        count - len(found.inactive.named),
    )


def _overdue(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs, today: date) -> Card:
    count = found.overdue.count
    return Card(
        "overdue",
        look(Attention, Attention.OVERDUE),
        count,
        f"{counted(count, 'function')} overdue",
        "Their base has been stale for longer than the freshness policy allows.",
        tuple(_late_line(row, accounts, today) for row in found.overdue.named),
        functions_address([*kept, ("overdue", "yes")]),
        count - len(found.overdue.named),
    )


def _late_line(row: Named, accounts: Mapping[int, AccountFact], today: date) -> Line:
    """One whose base has ended has no newer release to stand on."""
    line = _line(row, _late(row.overdue_on, today), accounts)
    if row.freshness != Freshness.STALE:
        return line
    return replace(line, aside="Patch", aside_href=reverse("function-patch", args=[row.pk]))


def _late(due: date | None, today: date) -> str:
    days = (today - due).days if due else 0
    return f"Overdue for {counted(days, 'day')}." if days else "Overdue from today."


_END = {True: ("freshness", "end_of_life"), False: ("needs", "ending")}  # whether it has come


def _ending(found: Overview, kept: Pairs) -> Card:
    ended = sum(each.functions for each in found.endings if each.days_left <= 0)
    soon = sum(each.functions for each in found.endings if each.days_left > 0)
    words = f"{ended} past it, {soon} within 90 days of it. " if ended and soon else ""
    where = "past or near" if ended and soon else "past" if ended else "within 90 days of"
    return Card(
        "ending",
        look(Attention, Attention.ENDED if ended else Attention.ENDING),
        ended + soon,
        f"{counted(ended + soon, 'function')} on a base {where} its end of life",
        f"{words}From that day its runtime or OS gets no more security patches.",
        tuple(
            Line(
                each.base,
                functions_address([*kept, ("base", each.base or "none"), _END[each.days_left <= 0]]),
                _when(each),
            )
            for each in found.endings
        ),
        functions_address([*kept, ("needs", "ends") if ended and soon else _END[bool(ended)]]),
        0,
    )


def _when(each: Ending) -> str:
    if each.days_left > 0:
        return f"{counted(each.functions, 'function')}, {counted(each.days_left, 'day')} left (until {each.on:%F})."
    return f"{counted(each.functions, 'function')}, ended {counted(-each.days_left, 'day')} ago ({each.on:%F})."


def _drifted(found: Overview, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    count = found.drifted.count
    return Card(
        "drifted",
        look(Attention, Attention.DRIFTED),
        count,
        f"{counted(count, 'function')} drifted",
        "The tag they were deployed by points to another image now; Lambda still runs the old one.",
        tuple(_line(row, row.why if row.problem_rank == RANK_DRIFTED else "", accounts) for row in found.drifted.named),
        functions_address([*kept, ("needs", "moved")]),
        count - len(found.drifted.named),
    )


def _line(row: Named, why: str, accounts: Mapping[int, AccountFact]) -> Line:
    return Line(row.name, reverse("function", args=[row.pk]), why, accounts.get(row.account))
