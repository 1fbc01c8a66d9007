"""The users of one base stream: what is live on it, as rows; and counted by account and by owner."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account, BaseRelease, BaseStream, BaseUse
from functions_app.services.inventory.bases.base_list import (
    ORDER,
    RANKS,
    Ends,
    Standing,
    Tally,
    current_releases,
    standing,
)
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.services.snapshot.base_use_rows import Lineages, Release
from functions_app.services.snapshot.live_on_bases import ReleaseFact, label

NO_ACCOUNT = AccountFact(0, "", "", "")


@dataclass(frozen=True)
class UserRow:
    """A function's version on a release, and the aliases that send it calls (none: $LATEST without an alias)."""

    function_id: int
    name: str
    account: AccountFact
    region: str
    owner: str
    version: str
    aliases: tuple[str, ...]
    standing: Standing
    release_id: int | None  # of this stream; None: a release that is not known
    release: str
    through: str  # the golden image it stands on, "" where it stands on the base itself
    changes_to: int | None  # the current release for its platform, where it runs an older one


@dataclass(frozen=True)
class Group:
    """Functions of one account or owner on this base."""

    name: str
    account: AccountFact | None
    total: int
    current: int
    overdue: int

    @property
    def behind(self) -> int:
        """Functions on an older or an unknown release."""
        return self.total - self.current


class Way(NamedTuple):
    """A function's version on a release of this stream, before it is described: a page shows few of them.

    `release_id` None: a release that is not known; `nearest` the release the image stands on itself.
    """

    function_id: int
    name: str
    account: int
    region: str
    owner: str
    version: str
    release_id: int | None
    nearest: int | None
    aliases: list[str]  # "" is $LATEST
    rank: int  # of its standing
    is_current: bool


@dataclass
class StreamFacts:
    """What was read of one stream, before it is cut into a page."""

    stream: BaseStream
    streams: Mapping[int, BaseStream]
    releases: Mapping[int, ReleaseFact]  # of this stream, the newest first
    current: Mapping[int, ReleaseFact]  # of every stream
    lineages: Mapping[int, tuple[Release, ...]]  # of the current releases
    accounts: Mapping[int, AccountFact]
    now: datetime
    ways: list[Way] = field(default_factory=list)


def read_stream_facts(pk: int, now: datetime) -> StreamFacts:
    """Read what the page of one stream is made of. Seven queries. Raises NOT_FOUND."""
    streams = {stream.pk: stream for stream in BaseStream.objects.all()}
    if pk not in streams:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look for it by name in Base images."
        )
    current = current_releases()
    rows = BaseRelease.objects.filter(stream=pk).order_by("-created_at", "pk").values_list(*ReleaseFact.COLUMNS)
    accounts = Account.objects.values_list("pk", "name", "account_id", "colour")
    over = Ends.of(streams[pk], now.date()).over
    return StreamFacts(
        stream=streams[pk],
        streams=streams,
        releases={row[0]: ReleaseFact(*row) for row in rows},
        current=current,
        lineages=Lineages().of(current),
        accounts={row[0]: AccountFact(*row) for row in accounts},
        now=now,
        ways=_ways(pk, current, now.date(), over=over),
    )


def _ways(stream_id: int, current: Mapping[int, ReleaseFact], today: date, *, over: bool) -> list[Way]:
    """Every version of a function on a release; the worst first, then by name. One query."""
    rows = BaseUse.objects.filter(stream=stream_id).order_by("name", "function_id", "version", "alias")
    columns = rows.values_list(
        "function_id", "name", "account_id", "region", "owner", "version", "release_id", "nearest_id",
        "alias", "overdue_on",
    )  # fmt: skip
    found: dict[tuple[int, str, int | None, int | None], Way] = {}
    ranks = {
        (known, late): ORDER[standing(known, overdue=late, over=over)]
        for known in (True, False, None)
        for late in (True, False)
    }
    for function_id, name, account, region, owner, version, release, nearest, alias, overdue_on in columns:
        is_current = release in current
        late = overdue_on is not None and overdue_on <= today
        rank = ranks[None if release is None else is_current, late]
        key = (function_id, version, release, nearest)
        way = found.get(key)
        if way is None:
            found[key] = Way(
                function_id, name, account, region, owner, version, release, nearest, [alias], rank, is_current
            )
        else:
            way.aliases.append(alias)
            if rank > way.rank:
                found[key] = way._replace(rank=rank)
    return sorted(found.values(), key=attrgetter("rank"), reverse=True)


def describe(ways: Iterable[Way], read: StreamFacts) -> tuple[UserRow, ...]:
    """Those ways as rows. One query where some stand on golden images."""
    shown = list(ways)
    labels = {fact.pk: label(fact) for fact in read.releases.values()}
    golden = {way.nearest for way in shown if way.nearest and way.nearest not in read.releases}
    if golden:
        facts = BaseRelease.objects.filter(pk__in=golden).order_by().values_list(*ReleaseFact.COLUMNS)
        for fact in (ReleaseFact(*row) for row in facts):
            labels[fact.pk] = f"{read.streams[fact.stream_id].name} {label(fact)}"
    oldest_first = reversed(list(read.releases.values()))  # of several current ones the newest counts, as for verdicts
    current = {fact.platform: fact.pk for fact in oldest_first if fact.current}
    return tuple(_user_row(way, read, labels, current) for way in shown)


def _user_row(way: Way, read: StreamFacts, labels: Mapping[int, str], current: Mapping[str, int]) -> UserRow:
    release = read.releases.get(way.release_id) if way.release_id else None
    return UserRow(
        function_id=way.function_id,
        name=way.name,
        account=read.accounts.get(way.account, NO_ACCOUNT),
        region=way.region,
        owner=way.owner,
        version=way.version,
        aliases=tuple(sorted(alias for alias in way.aliases if alias)),
        standing=RANKS[way.rank],
        release_id=way.release_id,
        release=labels.get(release.pk, "") if release else "unknown release",
        through=labels.get(way.nearest, "") if way.nearest and way.nearest != way.release_id else "",
        changes_to=current.get(release.platform) if release and not way.is_current else None,
    )


def tally(ways: Iterable[Way]) -> Tally:
    """Functions by the worst of their ways, which come first; and those that stand on it through others alone."""
    worst: dict[int, int] = {}
    direct: set[int] = set()
    aliases = 0
    for way in ways:
        worst.setdefault(way.function_id, way.rank)
        aliases += len(way.aliases)
        if way.nearest == way.release_id:
            direct.add(way.function_id)
    counts = Counter(worst.values())
    return Tally({RANKS[rank]: count for rank, count in counts.items()}, aliases, len(worst) - len(direct))


def groups(read: StreamFacts, *, by_owner: bool) -> tuple[Group, ...]:
    """Functions by owner or by account, those with the most behind first."""
    worst: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    older: dict[tuple[str, int], set[int]] = defaultdict(set)
    for way in read.ways:  # sorted: the worst way of a function comes first
        key = (way.owner, 0) if by_owner else ("", way.account)
        worst[key].setdefault(way.function_id, way.rank)
        if not way.is_current:
            older[key].add(way.function_id)
    groups = [
        Group(
            name=name,
            account=None if by_owner else read.accounts.get(account, NO_ACCOUNT),
            total=len(found),
            current=len(found) - len(older[name, account]),
            overdue=sum(each == ORDER[Standing.OVERDUE] for each in found.values()),
        )
        for (name, account), found in worst.items()
    ]
    return tuple(sorted(groups, key=_most_behind_first))


def _most_behind_first(group: Group) -> tuple[int, int, str]:
    return -group.behind, -group.total, group.account.name if group.account else group.name
