"""The users of one base stream: what is live on it, as rows; and counted by account and by owner."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
from functions_app.services.inventory.bases import Ends, Standing, standing
from functions_app.services.inventory.status import AccountFact

NO_ACCOUNT = AccountFact(0, "", "", "")
ORDER = {standing: rank for rank, standing in enumerate(Standing)}


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
    over = Ends.of(read.stream, read.now.date()).over
    ways: dict[tuple[int, str, int | None, int | None], list[str]] = defaultdict(list)
    late: set[tuple[int, str, int | None, int | None]] = set()
    for use in read.uses:
        here = read.above.get(use.release_id, use.release_id) if use.release_id else None
        key = (use.function_id, use.version, here, use.release_id)
        ways[key].append(use.alias)
        if (use.function_id, use.alias) in read.late:
            late.add(key)
    newest = {
        fact.platform: fact.pk
        for fact in read.known.releases.values()
        if fact.current and fact.stream_id == read.stream.pk
    }
    rows = []
    for key, aliases in ways.items():
        function_id, version, here, nearest = key
        facts = read.functions.get(function_id)
        if facts is None:
            continue  # deleted between two queries
        _, name, account, region, owner = facts
        release = read.known.releases.get(here) if here else None
        golden = read.known.releases[nearest] if nearest and nearest != here else None
        rows.append(
            UserRow(
                function_id=function_id,
                name=name,
                account=read.accounts.get(account, NO_ACCOUNT),
                region=region,
                owner=owner,
                version=version,
                aliases=tuple(sorted(alias for alias in aliases if alias)),
                standing=standing(release.current if release else None, overdue=key in late, over=over),
                release_id=release.pk if release else None,
                release=label(release) if release else "unknown release",
                changes_to=None if release is None or release.current else newest.get(release.platform),
                through=f"{read.streams[golden.stream_id].name} {label(golden)}" if golden else "",
            )
        )
    rows.sort(key=lambda row: (-ORDER[row.standing], row.name, row.account.name, row.region))
    return rows


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
