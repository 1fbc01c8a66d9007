"""One base stream: its releases over time, who runs which, and what stands on it or beneath it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.bases.history import Progress
from functions_app.domain.errors import Problem
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.inventory.bases.advice import BaseAdvice, RadiusWords, advise, radius_words
from functions_app.services.inventory.bases.base_list import Ends, Tally
from functions_app.services.inventory.bases.use_counts import Asked, Slice
from functions_app.services.inventory.bases.users import (
    NO_ACCOUNT,
    Group,
    StreamFacts,
    UserRow,
    groups,
    listed,
    read_stream_facts,
)
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.services.snapshot.live_on_bases import ReleaseFact, label

RELEASES = 25  # a page of the table
USERS = 50  # a page of who runs it
NAMED = 6  # users named beside a release at once


@dataclass(frozen=True)
class ReleaseRow:
    """A release with how much runs it; `users` are the first few.

    `aliases` counts the $LATEST of a function without an alias as one.
    """

    release: BaseRelease
    label: str
    aliases: int
    versions: int
    functions: int
    accounts: tuple[AccountFact, ...]
    users: tuple[UserRow, ...]
    more: int


@dataclass(frozen=True)
class Mark:
    """A release on the timeline."""

    pk: int
    label: str
    created_at: datetime
    platform: str
    current: bool
    aliases: int


@dataclass(frozen=True)
class Kin:
    """A golden image's release that stands on this stream, or a release that this stream's current one stands on."""

    stream_id: int
    stream: str
    release: str
    on: str
    current: bool  # whether the lower one of the two is the current release of its stream


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; None and "" ask for nothing in particular."""

    platform: str = ""
    release: int | None = None
    account: int | None = None
    releases_page: int = 1
    users_page: int = 1


@dataclass(frozen=True)
class UsersPage:
    """A page of who runs a stream's releases, or those that are asked for."""

    users: tuple[UserRow, ...]
    users_total: int
    users_page: int
    users_pages: int
    users_older: int  # functions among them that a plan of just these would bring forward


@dataclass(frozen=True)
class BasePage(UsersPage):
    """Everything the page of one stream shows."""

    stream: BaseStream
    problem: Problem | None
    history: Progress
    ends: Ends
    tally: Tally
    older: int  # functions on an older or unknown release: those a plan would bring forward
    advice: BaseAdvice
    platform: str
    platforms: tuple[tuple[str, int], ...]
    current: Mark | None
    marks: tuple[Mark, ...]
    rows: tuple[ReleaseRow, ...]
    releases_page: int
    releases_pages: int
    choices: tuple[Mark, ...]  # releases in use and the one asked for, of every platform, the newest first
    by_account: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    standing_on_it: tuple[Kin, ...]
    beneath: tuple[Kin, ...]
    twins: tuple[BaseStream, ...]  # streams with releases of the very same layers: copies, mirrors
    unknown_release: bool

    @property
    def on_current(self) -> int:
        """Functions of which everything live here is on the current release."""
        return self.tally.total - self.older

    @property
    def radius(self) -> RadiusWords:
        """What is said beside the counts of the blast radius."""
        return radius_words(self.tally.total, self.on_current, self.tally.functions_through)

    @property
    def named_twins(self) -> tuple[tuple[str, BaseStream], ...]:
        """The twins, each with what joins it to the one before."""
        last = len(self.twins) - 1
        joints = ("" if at == 0 else " and " if at == last else ", " for at in range(len(self.twins)))
        return tuple(zip(joints, self.twins, strict=True))


def base_page(pk: int, wanted: Wanted, accounts: Iterable[AccountFact], now: datetime) -> BasePage:
    """Read one stream, of a fleet of these accounts. Eleven queries at most. Raises NOT_FOUND."""
    read = read_stream_facts(pk, accounts, now)
    own, counts = list(read.releases.values()), read.counts
    on = counts.aliases_on
    platforms = _platforms(own, on)
    platform = _platform(wanted, own, platforms)
    facts = [fact for fact in own if fact.platform == platform]
    marks = tuple(_mark(fact, on[fact.pk]) for fact in reversed(facts))
    releases_page, releases_pages = _page_of(len(facts), wanted.releases_page, RELEASES)
    shown = facts[(releases_page - 1) * RELEASES : releases_page * RELEASES]
    users, rows = _who(wanted, shown, read)
    ends = Ends.of(read.stream, now.date())
    by_account, by_owner = groups(read)
    problem = Problem.from_json(read.stream.problem) if read.stream.problem else None
    beneath = _beneath(read, facts)
    worn = next((kin.stream for kin in beneath if not kin.current), "")
    return BasePage(
        **vars(users),
        stream=read.stream,
        problem=problem,
        history=Progress.from_json(read.stream.history),
        ends=ends,
        tally=counts.tally,
        older=counts.older,
        advice=advise(read.stream, problem, ends, counts.tally, counts.older, releases=len(own), worn=worn),
        platform=platform,
        platforms=platforms,
        current=next((mark for mark in reversed(marks) if mark.current), None),
        marks=marks,
        rows=rows,
        releases_page=releases_page,
        releases_pages=releases_pages,
        choices=tuple(_mark(fact, on[fact.pk]) for fact in own if on[fact.pk] or fact.pk == wanted.release),
        by_account=by_account,
        by_owner=by_owner,
        standing_on_it=_golden(read),
        beneath=beneath,
        twins=_twins(pk, own),
        unknown_release=None in on,
    )


def _who(wanted: Wanted, shown: Sequence[ReleaseFact], read: StreamFacts) -> tuple[UsersPage, tuple[ReleaseRow, ...]]:
    """Who runs what is asked for, and the releases that are shown with the first few of theirs."""
    asked, named = Asked(wanted.release, wanted.account), _named(shown, read)
    ranks = read.counts.ranks(asked, read.current)
    total = sum(ranks.values())
    page, pages = _page_of(total, wanted.users_page, USERS)
    users, *named_users = listed(read, [Slice(asked, (page - 1) * USERS, USERS, ranks), *named.values()])
    older = read.counts.older_among(asked, read.current)
    rows = _release_rows(shown, read, dict(zip(named, named_users, strict=True)))
    return UsersPage(users, total, page, pages, older), rows


def _named(facts: Sequence[ReleaseFact], read: StreamFacts) -> dict[int, Slice]:
    """The first few users of each of these releases that has any."""
    asked = {fact.pk: Asked(fact.pk) for fact in facts if fact.pk in read.counts.by_release}
    return {pk: Slice(each, 0, NAMED, read.counts.ranks(each, read.current)) for pk, each in asked.items()}


def _twins(stream_id: int, own: Sequence[ReleaseFact]) -> tuple[BaseStream, ...]:
    chains = {fact.chain_id for fact in own if fact.current}
    same = BaseRelease.objects.filter(chain_id__in=chains).exclude(stream=stream_id)
    return tuple(BaseStream.objects.filter(pk__in=same.values("stream"), enabled=True))


def _page_of(count: int, page: int, size: int) -> tuple[int, int]:
    """A page's number, and how many there are; a page past the end is the last."""
    pages = max(1, -(-count // size))
    return min(max(1, page), pages), pages


def _platforms(own: Sequence[ReleaseFact], on: Mapping[int | None, int]) -> tuple[tuple[str, int], ...]:
    """Platforms of the releases with the aliases on each, the most used first."""
    counts: dict[str, int] = {}
    for fact in own:
        counts[fact.platform] = counts.get(fact.platform, 0) + on.get(fact.pk, 0)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _platform(wanted: Wanted, own: Sequence[ReleaseFact], platforms: Sequence[tuple[str, int]]) -> str:
    """The platform asked for, else that of the release asked for, else the most used."""
    known = [name for name, _ in platforms]
    of_release = [fact.platform for fact in own if fact.pk == wanted.release]
    return next((name for name in (wanted.platform, *of_release, *known) if name in known), "")


def _mark(fact: ReleaseFact, aliases: int) -> Mark:
    return Mark(fact.pk, label(fact), fact.created_at, fact.platform, fact.current, aliases)


def _release_rows(
    facts: Sequence[ReleaseFact], read: StreamFacts, users: Mapping[int, tuple[UserRow, ...]]
) -> tuple[ReleaseRow, ...]:
    rows = BaseRelease.objects.defer("config").in_bulk([fact.pk for fact in facts])
    return tuple(_release_row(rows[fact.pk], users.get(fact.pk, ()), read) for fact in facts if fact.pk in rows)


def _release_row(release: BaseRelease, users: tuple[UserRow, ...], read: StreamFacts) -> ReleaseRow:
    on = read.counts.among(Asked(release.pk))
    accounts = (read.accounts.get(each.account, NO_ACCOUNT) for each in on)
    versions = sum(each.versions for each in on)
    return ReleaseRow(
        release=release,
        label=label(release),
        aliases=sum(each.aliases for each in on),
        versions=versions,
        functions=sum(each.functions for each in on),
        accounts=tuple(sorted(accounts, key=lambda account: account.name)),
        users=users,
        more=max(0, versions - NAMED),
    )


def _golden(read: StreamFacts) -> tuple[Kin, ...]:
    """The current releases of other streams that stand on this one."""
    kin = []
    for fact in read.current.values():
        lower = next((each for each in read.lineages[fact.pk][1:] if each.pk in read.releases), None)
        if lower is not None and fact.stream_id != read.stream.pk:
            name, on = read.streams[fact.stream_id].name, read.releases[lower.pk]
            kin.append(Kin(fact.stream_id, name, f"{label(fact)} {fact.platform}", label(on), on.current))
    return tuple(sorted(kin, key=lambda each: (each.current, each.stream, each.release)))


def _beneath(read: StreamFacts, facts: Sequence[ReleaseFact]) -> tuple[Kin, ...]:
    """What the current release of this stream stands on, the nearest first."""
    current = next((fact for fact in facts if fact.current), None)
    if current is None:
        return ()
    lower = [each for each in read.lineages.get(current.pk, ())[1:] if each.stream_id != read.stream.pk]
    rows = BaseRelease.objects.defer("config", "diff_ids", "layers").in_bulk([each.pk for each in lower])
    kin: dict[int, Kin] = {}
    for each in lower:
        name, on = read.streams[each.stream_id].name, rows[each.pk]
        kin.setdefault(each.stream_id, Kin(each.stream_id, name, label(current), label(on), on.current))
    return tuple(kin.values())
