"""Base streams, their releases and who runs them, the policies of freshness, and lists of patches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime

from functions_app.domain.changes.patching.patch_lists import LivePlace, PatchList
from functions_app.models import BaseStream
from functions_app.services.bases import overdue_policies
from functions_app.services.inventory.bases.base_list import base_list
from functions_app.services.inventory.bases.release_list import ListedRelease, every_release
from functions_app.services.inventory.bases.use_counts import Asked
from functions_app.services.inventory.bases.users import keys_of, read_stream_facts, users_of
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.services.inventory.tables.table import Row, Table, batched, values

_STREAM = ("name", "reference", "own", "enabled", "current_tag", "current_at", "releases")
BASES = ("id", *_STREAM, "functions", "behind", "end_of_life", "polled_at", "problem")
RELEASES = ("id", *[field.name for field in fields(ListedRelease)][1:])
POLICIES = ("id", "account", "tag", "max_days", "max_releases")
_USER = ("region", "owner", "version", "aliases", "standing", "release", "through", "changes_to")
USERS = ("function_id", "function", "account", *_USER)
_TO = ("to_release_id", "to_release", "to_digest", "way", "why")
PATCHES = (*(field.name for field in fields(LivePlace)), *_TO, "warning")


def base_table(now: datetime) -> Table:
    """All base streams, those with most behind first."""
    found = base_list(now)
    rows = [
        [
            row.pk,
            *values(row, _STREAM),
            *(row.tally.total, row.tally.behind),
            min((day for day in (row.ends.runtime, row.ends.os) if day), default=None),
            *(row.polled_at, row.problem.message if row.problem else ""),
        ]
        for row in (*found.used, *found.unused)
    ]
    return Table("bases", BASES, [rows])


def release_table(stream: BaseStream, platform: str, today: date) -> Table:
    """All releases of a base for a platform ("": for all), the newest first."""
    rows = [[row.pk, *values(row, RELEASES[1:])] for row in every_release(stream.pk, platform, today)]
    return Table(f"releases-{stream.pk}", RELEASES, [rows])


def base_user_table(
    stream: int, release: int | None, account: int | None, accounts: Iterable[AccountFact], now: datetime
) -> Table:
    """All versions in use that run a base, the worst first: of one release (0: an unknown one) or account, of all."""
    read = read_stream_facts(stream, accounts, now)
    asked = Asked(release, account)

    def rows(keys: list[tuple[int, str]]) -> list[Row]:
        users = users_of(read, sorted({function for function, _ in keys}), asked)
        order = {key: at for at, key in enumerate(keys)}
        known = [user for user in users if (user.function_id, user.version) in order]
        known.sort(key=lambda user: order[user.function_id, user.version])
        return [[user.function_id, user.name, user.account.name, *values(user, _USER)] for user in known]

    def batches() -> Iterator[Sequence[Row]]:
        yield from batched(keys_of(read, asked), rows)

    return Table(f"users-of-base-{stream}", USERS, batches())


def policy_table() -> Table:
    """How long a stale base may stay."""
    return Table("policies", POLICIES, [[values(row, POLICIES) for row in overdue_policies.listing()]])


def patch_table(name: str, made: PatchList) -> Table:
    """Exactly a frozen list."""
    rows = [{**entry.as_json(), "warning": entry.warning} for entry in made.entries]
    return Table(name, PATCHES, [[[row[column] for column in PATCHES] for row in rows]])
