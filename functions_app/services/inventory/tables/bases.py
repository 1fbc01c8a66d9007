"""Base streams and their releases, the policies of freshness, and lists of patches."""

from dataclasses import fields
from datetime import date, datetime

from functions_app.domain.changes.patching.patch_lists import LivePlace, PatchList
from functions_app.models import BaseStream
from functions_app.services.bases import overdue_policies
from functions_app.services.inventory.bases.base_list import base_list
from functions_app.services.inventory.bases.release_list import ListedRelease, every_release
from functions_app.services.inventory.tables.table import Table, values

_STREAM = ("name", "reference", "own", "enabled", "current_tag", "current_at", "releases")
BASES = ("id", *_STREAM, "functions", "behind", "end_of_life", "polled_at", "problem")
RELEASES = ("id", *[field.name for field in fields(ListedRelease)][1:])
POLICIES = ("id", "account", "tag", "max_days", "max_releases")
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


def policy_table() -> Table:
    """How long a stale base may stay."""
    return Table("policies", POLICIES, [[values(row, POLICIES) for row in overdue_policies.listing()]])


def patch_table(name: str, made: PatchList) -> Table:
    """Exactly a frozen list."""
    rows = [{**entry.as_json(), "warning": entry.warning} for entry in made.entries]
    return Table(name, PATCHES, [[[row[column] for column in PATCHES] for row in rows]])
