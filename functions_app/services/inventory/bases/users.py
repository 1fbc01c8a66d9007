"""The users of one base stream: what is live on it, as rows; and counted by account and by owner."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.inventory.bases.base_list import Ends, Standing, current_releases
from functions_app.services.inventory.bases.use_counts import (
    Asked,
    Slice,
    UseCounts,
    Way,
    count_uses,
    list_uses,
    standing_of,
    use_keys,
    uses_of,
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


@dataclass(frozen=True)
class StreamFacts:
    """What was read of one stream, before it is cut into a page."""

    stream: BaseStream
    streams: Mapping[int, BaseStream]
    releases: Mapping[int, ReleaseFact]  # of this stream, the newest first
    current: Mapping[int, ReleaseFact]  # of every stream
    lineages: Mapping[int, tuple[Release, ...]]  # of the current releases
    accounts: Mapping[int, AccountFact]
    counts: UseCounts
    today: date

    @property
    def ranked_on(self) -> date | None:
        """The day by which users are ranked; None where all stand alike."""
        return None if self.counts.over else self.today

    @property
    def own_current(self) -> tuple[int, ...]:
        """The current releases of this stream."""
        return tuple(pk for pk in self.releases if pk in self.current)


def read_stream_facts(pk: int, accounts: Iterable[AccountFact], now: datetime) -> StreamFacts:
    """Read what the page of one stream is made of. Six queries. Raises NOT_FOUND."""
    streams = {stream.pk: stream for stream in BaseStream.objects.all()}
    if pk not in streams:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look for it by name in Base images."
        )
    current, today = current_releases(), now.date()
    rows = BaseRelease.objects.filter(stream=pk).order_by("-created_at", "pk").values_list(*ReleaseFact.COLUMNS)
    own = [fact.pk for fact in current.values() if fact.stream_id == pk]
    return StreamFacts(
        stream=streams[pk],
        streams=streams,
        releases={row[0]: ReleaseFact(*row) for row in rows},
        current=current,
        lineages=Lineages().of(current),
        accounts={fact.pk: fact for fact in accounts},
        counts=count_uses(pk, own, today, over=Ends.of(streams[pk], today).over),
        today=today,
    )


def listed(read: StreamFacts, slices: Sequence[Slice]) -> list[tuple[UserRow, ...]]:
    """Those slices of its users as rows. One query at most, and one more where some stand on golden images."""
    return _user_rows(read, list_uses(read.stream.pk, read.own_current, read.ranked_on, slices))


def users_of(read: StreamFacts, functions: Sequence[int], asked: Asked) -> tuple[UserRow, ...]:
    """Of these functions all that is asked for, by name. Two queries at most."""
    return _user_rows(read, [uses_of(functions, read.stream.pk, read.own_current, read.ranked_on, asked)])[0]


def keys_of(read: StreamFacts, asked: Asked) -> list[tuple[int, str]]:
    """The function and version of all its users that are asked for, in the order of the list. One query."""
    return use_keys(read.stream.pk, read.own_current, read.ranked_on, asked)


def _user_rows(read: StreamFacts, found: Sequence[Sequence[Way]]) -> list[tuple[UserRow, ...]]:
    labels = {fact.pk: label(fact) for fact in read.releases.values()}
    golden = {way.nearest for ways in found for way in ways if way.nearest and way.nearest not in read.releases}
    if golden:
        facts = BaseRelease.objects.filter(pk__in=golden).order_by().values_list(*ReleaseFact.COLUMNS)
        for fact in (ReleaseFact(*row) for row in facts):
            labels[fact.pk] = f"{read.streams[fact.stream_id].name} {label(fact)}"
    oldest_first = reversed(list(read.releases.values()))  # of several current ones the newest counts, as for verdicts
    current = {fact.platform: fact.pk for fact in oldest_first if fact.current}
    return [tuple(_user_row(way, read, labels, current) for way in ways) for ways in found]


def _user_row(way: Way, read: StreamFacts, labels: Mapping[int, str], current: Mapping[str, int]) -> UserRow:
    release = read.releases.get(way.release_id) if way.release_id else None
    return UserRow(
        function_id=way.function_id,
        name=way.name,
        account=read.accounts.get(way.account, NO_ACCOUNT),
        region=way.region,
        owner=way.owner,
        version=way.version,
        aliases=tuple(sorted(way.aliases)),
        standing=standing_of(way.rank, over=read.counts.over),
        release_id=way.release_id,
        release=labels.get(release.pk, "") if release else "unknown release",
        through=labels.get(way.nearest, "") if way.nearest and way.nearest != way.release_id else "",
        changes_to=current.get(release.platform) if release and release.pk not in read.current else None,
    )


def groups(read: StreamFacts) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Functions by account and by owner, those with the most behind first."""
    by_account: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    by_owner: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in read.counts.functions:
        late = standing_of(each.worst, over=read.counts.over) is Standing.OVERDUE
        for sums in (by_account[each.account], by_owner[each.owner]):
            sums[0] += each.functions
            sums[1] += 0 if each.worst else each.functions
            sums[2] += each.functions if late else 0
    accounted = [Group("", read.accounts.get(pk, NO_ACCOUNT), *sums) for pk, sums in by_account.items()]
    owned = [Group(name, None, *sums) for name, sums in by_owner.items()]
    return tuple(sorted(accounted, key=_most_behind_first)), tuple(sorted(owned, key=_most_behind_first))


def _most_behind_first(group: Group) -> tuple[int, int, str]:
    return -group.behind, -group.total, group.account.name if group.account else group.name
