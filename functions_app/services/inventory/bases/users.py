"""The users of one base stream: what is live on it, as rows; and counted by account and by owner."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Final, NamedTuple

from django.db.models import Case, Value, When

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
LATE = "o"


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
    aliases: str  # a line each; an empty one is $LATEST
    rank: int  # of its standing
    is_current: bool


# Of a popular base there are thousands: plain tuples, which cost the garbage collector nothing, until they are shown.
WayRow = tuple[int, str, int, str, str, str, int | None, int | None, str, int, bool]
FUNCTION: Final = 0
ACCOUNT: Final = 2
VERSION: Final = 5
RELEASE: Final = 6
ALIASES: Final = 8
RANK: Final = 9
IS_CURRENT: Final = 10


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
    ways: list[WayRow] = field(default_factory=list)


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


def _ways(stream_id: int, current: Mapping[int, ReleaseFact], today: date, *, over: bool) -> list[WayRow]:
    """Every version of a function on a release; the worst first, then by name. One query."""
    rows = BaseUse.objects.filter(stream=stream_id).order_by("name", "function_id", "version", "alias")
    # Told as a letter, which needs no conversion: a date would be parsed for every row, a number taken for one anew.
    late = Case(When(overdue_on__lte=today, then=Value(LATE)), default=Value(""))
    columns = rows.values_list(
        "function_id", "name", "account_id", "region", "owner", "version", "release_id", "nearest_id", "alias", late
    )
    ranks = {
        (known, late): ORDER[standing(known, overdue=bool(late), over=over)]
        for known in (True, False, None)
        for late in (LATE, "")
    }
    found: list[WayRow] = []
    last: tuple[object, ...] = ()
    for function_id, name, account, region, owner, version, release, nearest, alias, is_late in columns.iterator():
        is_current = release in current
        rank = ranks[None if release is None else is_current, is_late]
        # The aliases of one version follow each other.
        if (key := (function_id, version, release, nearest)) == last:
            *_, aliases, before, _ = found[-1]
            found[-1] = (*found[-1][:8], f"{aliases}\n{alias}", max(rank, before), is_current)
        else:
            found.append(
                (function_id, name, account, region, owner, version, release, nearest, alias, rank, is_current)
            )
            last = key
    found.sort(key=itemgetter(RANK), reverse=True)
    return found


def describe(ways: Iterable[WayRow], read: StreamFacts) -> tuple[UserRow, ...]:
    """Those ways as rows. One query where some stand on golden images."""
    shown = [Way._make(way) for way in ways]
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
        aliases=tuple(sorted(alias for alias in way.aliases.split("\n") if alias)),
        standing=RANKS[way.rank],
        release_id=way.release_id,
        release=labels.get(release.pk, "") if release else "unknown release",
        through=labels.get(way.nearest, "") if way.nearest and way.nearest != way.release_id else "",
        changes_to=current.get(release.platform) if release and not way.is_current else None,
    )


@dataclass
class Counted:
    """What a stream's page counts of its users, in one pass over them."""

    worst: dict[int, int] = field(default_factory=dict)  # rank by function
    whose: dict[int, tuple[int, str]] = field(default_factory=dict)  # account and owner by function
    older: set[int] = field(default_factory=set)  # functions of which something is not on a current release
    direct: set[int] = field(default_factory=set)  # functions that stand on it by themselves
    aliases: int = 0
    on: Counter[int | None] = field(default_factory=Counter)  # aliases by release; None is one that nobody knows
    by_release: dict[int | None, list[WayRow]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, ways: Iterable[WayRow]) -> "Counted":
        """Count the ways of one stream, which come with the worst first."""
        found = cls()
        worst, whose, older, direct, on, by_release = (
            found.worst, found.whose, found.older, found.direct, found.on, found.by_release,
        )  # fmt: skip
        for way in ways:
            function, _, account, _, owner, _, release, nearest, aliases, rank, is_current = way
            if function not in worst:
                worst[function], whose[function] = rank, (account, owner)
            if not is_current:
                older.add(function)
            if nearest == release:
                direct.add(function)
            on[release] += aliases.count("\n") + 1
            by_release[release].append(way)
        found.aliases = on.total()
        return found

    @property
    def tally(self) -> Tally:
        """Functions by the worst of their ways; and those that stand on it through others alone."""
        counts = Counter(self.worst.values())
        through = len(self.worst) - len(self.direct)
        return Tally({RANKS[rank]: count for rank, count in counts.items()}, self.aliases, through)

    def groups(self, accounts: Mapping[int, AccountFact]) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
        """Functions by account and by owner, those with the most behind first."""
        by_account: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        by_owner: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        overdue = ORDER[Standing.OVERDUE]
        for function, rank in self.worst.items():
            account, owner = self.whose[function]
            for counts in (by_account[account], by_owner[owner]):
                counts[0] += 1
                counts[1] += function not in self.older
                counts[2] += rank == overdue
        accounted = [Group("", accounts.get(pk, NO_ACCOUNT), *counts) for pk, counts in by_account.items()]
        owned = [Group(name, None, *counts) for name, counts in by_owner.items()]
        return tuple(sorted(accounted, key=_most_behind_first)), tuple(sorted(owned, key=_most_behind_first))


def _most_behind_first(group: Group) -> tuple[int, int, str]:
    return -group.behind, -group.total, group.account.name if group.account else group.name
