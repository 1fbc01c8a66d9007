"""The users of one base stream: what is live on it, as rows; and counted by account and by owner."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account, BaseStream, Function
from functions_app.services.inventory.base_use import (
    FEW,
    Family,
    Use,
    family,
    label,
    live_uses,
    overdue_ways,
    release_facts,
)
from functions_app.services.inventory.bases import ORDER, Ends, Standing, standing
from functions_app.services.inventory.status import AccountFact

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


@dataclass
class Reading:
    """What was read of one stream, before it is cut into a page."""

    stream: BaseStream
    streams: Mapping[int, BaseStream]
    known: Family
    uses: list[Use]
    above: Mapping[int, int]
    late: set[tuple[int, str]]
    accounts: Mapping[int, AccountFact]
    functions: Mapping[int, tuple[Any, ...]]
    now: datetime
    users: list[UserRow] = field(default_factory=list)


def read_base(pk: int, now: datetime) -> Reading:
    """Read what the page of one stream is made of. Ten queries. Raises NOT_FOUND."""
    streams = {stream.pk: stream for stream in BaseStream.objects.all()}
    if pk not in streams:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look for it by name in Base images."
        )
    known = family(release_facts())
    above = known.above(pk)
    own = {fact.pk for fact in known.releases.values() if fact.stream_id == pk}
    uses = live_uses(own | set(above), pk)
    ids = {use.function_id for use in uses}
    columns = ("pk", "name", "account_id", "region", "owner")
    found = Function.objects.filter(pk__in=ids) if len(ids) <= FEW else Function.objects.filter(gone_at=None)
    accounts = Account.objects.values_list("pk", "name", "account_id", "colour")
    return Reading(
        stream=streams[pk],
        streams=streams,
        known=known,
        uses=uses,
        above=above,
        late=overdue_ways(now.date(), ids),
        accounts={row[0]: AccountFact(*row) for row in accounts},
        functions={row[0]: row for row in found.values_list(*columns) if row[0] in ids},
        now=now,
    )


def user_rows(read: Reading) -> list[UserRow]:
    """A row for each function, version and release; the worst first, then by name."""
    ways: dict[_Way, list[str]] = defaultdict(list)
    late: set[_Way] = set()
    for use in read.uses:
        here = read.above.get(use.release_id, use.release_id) if use.release_id else None
        way = _Way(use.function_id, use.version, here, use.release_id)
        ways[way].append(use.alias)
        if (use.function_id, use.alias) in read.late:
            late.add(way)
    describe = _Describer(read)
    # A function may be deleted between two queries.
    rows = [
        describe(way, aliases, overdue=way in late)
        for way, aliases in ways.items()
        if way.function_id in read.functions
    ]
    rows.sort(key=lambda row: (-ORDER[row.standing], row.name, row.account.name, row.region))
    return rows


class _Way(NamedTuple):
    """A version of a function on a release of this stream, and the release its image stands on itself."""

    function_id: int
    version: str
    release_id: int | None
    nearest: int | None


class _Describer:
    """Makes rows; what is the same for all of them is looked up once."""

    def __init__(self, read: Reading) -> None:
        self.read = read
        self.over = Ends.of(read.stream, read.now.date()).over
        own = [fact for fact in read.known.releases.values() if fact.stream_id == read.stream.pk]
        self.current = {fact.platform: fact.pk for fact in own if fact.current}
        self.labels = {fact.pk: label(fact) for fact in own}
        for pk in read.above:
            fact = read.known.releases[pk]
            self.labels[pk] = f"{read.streams[fact.stream_id].name} {label(fact)}"

    def __call__(self, way: _Way, aliases: Sequence[str], *, overdue: bool) -> UserRow:
        _, name, account, region, owner = self.read.functions[way.function_id]
        release = self.read.known.releases.get(way.release_id) if way.release_id else None
        current = release.current if release else None
        return UserRow(
            function_id=way.function_id,
            name=name,
            account=self.read.accounts.get(account, NO_ACCOUNT),
            region=region,
            owner=owner,
            version=way.version,
            aliases=tuple(sorted(alias for alias in aliases if alias)),
            standing=standing(current, overdue=overdue, over=self.over),
            release_id=release.pk if release else None,
            release=self.labels[release.pk] if release else "unknown release",
            changes_to=self.current.get(release.platform) if release and not current else None,
            through=self.labels[way.nearest] if way.nearest and way.nearest != way.release_id else "",
        )


def on_current(user: UserRow, read: Reading) -> bool:
    """Whether it runs the current release for its platform."""
    return user.release_id is not None and read.known.releases[user.release_id].current


def groups(read: Reading, *, by_owner: bool) -> tuple[Group, ...]:
    """Functions by owner or by account, those with the most behind first."""
    worst: dict[tuple[str, int], dict[int, Standing]] = defaultdict(dict)
    older: dict[tuple[str, int], set[int]] = defaultdict(set)
    for user in read.users:  # sorted: the worst row of a function comes first
        key = (user.owner, 0) if by_owner else ("", user.account.pk)
        worst[key].setdefault(user.function_id, user.standing)
        if not on_current(user, read):
            older[key].add(user.function_id)
    groups = [
        Group(
            name=name,
            account=None if by_owner else read.accounts.get(account, NO_ACCOUNT),
            total=len(found),
            current=len(found) - len(older[name, account]),
            overdue=sum(each is Standing.OVERDUE for each in found.values()),
        )
        for (name, account), found in worst.items()
    ]
    return tuple(sorted(groups, key=lambda group: (group.current - group.total, -group.total, group.name)))
