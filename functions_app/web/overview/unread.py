"""The overview's cards on what it can't judge: one for each cause, said once, with the next step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.unknown_reasons import ADD_BASE, next_step
from functions_app.domain.causes import Cause, by_cause
from functions_app.domain.text import counted
from functions_app.services.inventory.fleet_status import AccountFact, FleetStatus, ScopeStatus
from functions_app.services.inventory.overview.findings import Found, Overview
from functions_app.services.inventory.overview.unread import Failing, Unread
from functions_app.web.html.looks import Attention, look
from functions_app.web.overview.cards import Card, Line, Pairs, functions_address

SHOWN = 5
OTHERS = "Mend what is told above first; the page of each says why it could not be read."
POLICIES = "Say for how long a base may be stale in Settings, Freshness."


def unreachable(status: FleetStatus, scopes: Sequence[ScopeStatus]) -> Iterator[Card]:
    """Accounts and regions that could not be read, a card for each cause; then data that is old for no known cause."""
    failed = {f"{scope.account} {scope.region}": scope for scope in scopes if scope.problem}
    causes = by_cause((name, scope.problem) for name, scope in failed.items() if scope.problem)
    for number, cause in enumerate(causes, 1):
        never = any(failed[name].synced_at is None for name in cause.names)
        known = {fact.name: fact for fact in status.accounts}
        yield _cause_card(
            f"unreachable-{number}",
            Attention.UNREACHABLE if never else Attention.OUTDATED,
            f"{_scopes(cause.count)} could not be read",
            cause,
            tuple(_scope_line(failed[name], known) for name in cause.names[:SHOWN]),
            reverse("accounts"),
        )
    if status.late and not failed:
        yield Card(
            "late",
            look(Attention, Attention.OUTDATED),
            1,
            "What is shown is old",
            "Several syncs are overdue: nothing below is newer than the age of the data.",
            (),
            reverse("runs"),
            0,
            next_step="Look whether a worker and the beat are running; the last sync's run says what it met.",
        )


def _scope_line(scope: ScopeStatus, accounts: Mapping[str, AccountFact]) -> Line:
    why = "" if scope.synced_at else "Never read."
    return Line(scope.region, reverse("accounts"), why, accounts.get(scope.account), since=scope.synced_at)


def _scopes(count: int) -> str:
    return counted(count, "account and region", "accounts and regions")


def unjudged(
    found: Overview, missing: Unread, accounts: Mapping[int, AccountFact], kept: Pairs, *, reading: bool
) -> Iterator[Card]:
    """What single functions, repositories, registries and bases keep from being judged. While the first sync is
    `reading`, what it has yet to read is no finding.
    """
    if found.partly_read.count and not reading:
        yield _functions(found.partly_read, accounts, kept)
    for each in PARTS:
        yield from _failing(each, getattr(missing, each.key))
    yield from _sources(found)
    if found.freshness[Freshness.UNKNOWN.value] and not reading:
        yield _unknown(found, missing, kept)
    if found.unruled.count:
        yield _unruled(found.unruled, accounts, kept)


def _functions(found: Found, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    return Card(
        "unread",
        look(Attention, Attention.UNREAD),
        found.count,
        f"{counted(found.count, 'function')} not read, or not in all parts",
        "What is shown of them is older than the rest, or missing.",
        _lines(found, accounts),
        functions_address([*kept, ("needs", "unread")]),
        found.count - len(found.named),
        next_step="The page of each says which part, why, and what to do.",
    )


@dataclass(frozen=True)
class _Part:
    """What of Unread a card is about: one, several, what happened, and the page that shows them."""

    key: str
    one: str
    several: str
    page: str


PARTS = (
    _Part(
        "repositories",
        "repository's images could not be listed",
        "repositories' images could not be listed",
        "repositories",
    ),
    _Part("images", "image could not be read", "images could not be read", "repositories"),
    _Part("streams", "base image could not be polled", "base images could not be polled", "bases"),
    _Part("forecasts", "lifecycle forecast could not be read", "lifecycle forecasts could not be read", "repositories"),
)


def _failing(part: _Part, found: Failing) -> Iterator[Card]:
    for number, cause in enumerate(found.causes, 1):
        title = _title(part, cause.count)
        names = tuple(Line(name, reverse(part.page), "") for name in dict.fromkeys(cause.names))[:SHOWN]
        yield _cause_card(f"{part.key}-{number}", Attention.UNREACHABLE_PART, title, cause, names, reverse(part.page))
    if found.others:
        kind, text = look(Attention, Attention.UNREACHABLE_PART), "For the causes told above, or others."
        title = _title(part, found.others)
        yield Card(f"{part.key}-others", kind, found.others, title, text, (), reverse(part.page), 0, next_step=OTHERS)


def _title(part: _Part, count: int) -> str:
    return counted(count, part.one, part.several)


def _sources(found: Overview) -> Iterator[Card]:
    """What all is judged by, where it was never read, or too long ago."""
    sources, yet, old = found.sources, look(Attention, Attention.NOT_READ_YET), look(Attention, Attention.OUTDATED)
    if sources.streams_polled_at is None and not sources.streams_failing:
        text = "Until then no base is known to be current or stale. The first poll starts by itself."
        yield Card("no-streams", yet, 1, "Base images were not polled yet", text, (), reverse("bases"), 0)
    if sources.forecasts_due:
        text = "Until then nobody knows which images lifecycle policies will delete. The first starts by itself."
        yield Card(
            "no-forecasts", yet, 1, "Lifecycle forecasts were not read yet", text, (), reverse("repositories"), 0
        )
    if sources.forecasts_late and not sources.forecasts_failing:
        text = "They are read daily, and the oldest has missed a day: what policies will delete may be more by now."
        step = "Look at the runs: the last forecast says what it met."
        title = "Lifecycle forecasts are out of date"
        yield Card("late-forecasts", old, 1, title, text, (), reverse("runs"), 0, next_step=step)


def _unknown(found: Overview, missing: Unread, kept: Pairs) -> Card:
    """Its next step, where it is the same for all the reasons that are named; else each has its own."""
    count, address = found.freshness[Freshness.UNKNOWN.value], functions_address([*kept, ("freshness", "unknown")])
    # What is not found while bases could not be polled is perhaps one of those: the card on them says what to do.
    held_up = {ADD_BASE: ""} if missing.streams.count else {}
    steps = [held_up.get(step, step) for step in (next_step(each.reason) for each in found.unknown)]
    common = steps[0] if len(set(steps)) == 1 else ""
    return Card(
        "unknown",
        look(Attention, Attention.UNKNOWN),
        count,
        f"{counted(count, 'function')} on an unknown base",
        "Nothing says whether their base is current.",
        tuple(
            Line(
                counted(each.functions, "function"),
                address,
                each.reason if common else f"{each.reason} {step}".rstrip(),
            )
            for each, step in zip(found.unknown, steps, strict=True)
        ),
        address,
        count - sum(each.functions for each in found.unknown),
        next_step=common,
    )


def _unruled(found: Found, accounts: Mapping[int, AccountFact], kept: Pairs) -> Card:
    return Card(
        "unruled",
        look(Attention, Attention.UNRULED),
        found.count,
        f"{counted(found.count, 'function')} on a stale base, and no policy says until when",
        "None of them ever becomes overdue.",
        _lines(found, accounts),
        functions_address([*kept, ("needs", "unruled")]),
        found.count - len(found.named),
        next_step=POLICIES,
    )


def _lines(found: Found, accounts: Mapping[int, AccountFact]) -> tuple[Line, ...]:
    return tuple(
        Line(each.name, reverse("function", args=[each.pk]), each.why, accounts.get(each.account))
        for each in found.named
    )


def _cause_card(key: str, kind: Attention, title: str, cause: Cause, lines: tuple[Line, ...], href: str) -> Card:
    problem = cause.problem
    return Card(
        key,
        look(Attention, kind),
        cause.count,
        title,
        problem.cause if cause.count > 1 else problem.message,
        lines,
        href,
        max(0, len(set(cause.names)) - len(lines)),
        next_step=problem.next_step,
        codes=", request ".join(part for part in (problem.aws_code, problem.request_id) if part),
    )
