"""Functions, the versions of one, and what a lifecycle policy would take from under them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.db.models import Q

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.tokens import Reach
from functions_app.services.inventory.fleet.function import VersionRow
from functions_app.services.inventory.fleet.function_list import FunctionRow, keys_of, rows_of
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.version_list import version_keys, version_rows
from functions_app.services.inventory.images.at_risk import at_risk
from functions_app.services.inventory.tables.table import Row, Table, batched, in_batches, values
from functions_app.services.people.accounts import names

_PLAIN = (
    "state", "freshness", "freshness_reason", "base_name", "runtime", "releases_behind", "days_behind", "overdue_on",
    "end_of_life_on", "digest", "owner", "managed_by", "problem", "last_modified",
)  # fmt: skip
FUNCTIONS = ("id", "name", "account", "region", "aliases", *(name.removesuffix("_name") for name in _PLAIN))
_VERSION = ("number", "digest", "state", "last_modified")
VERSIONS = (
    "version", "digest", "state", "published_at", "aliases", "base", "freshness", "tags", "deployed_tag", "tag_moved",
)  # fmt: skip
RISKS = ("function_id", "function", "account", "version", "aliases", "digest", "rule", "reason")


def function_table(wanted: FleetFilter, today: date, within: Q | None = None) -> Table:
    """All functions that a filter finds, in its order."""
    return Table("functions", FUNCTIONS, in_batches(keys_of(wanted, today, within), _functions(names())))


def chosen_table(name: str, keys: Sequence[int]) -> Table:
    """Exactly these functions, in this order."""
    return Table(name, FUNCTIONS, batched(keys, _functions(names())))


def _functions(accounts: Mapping[int, str]) -> Callable[[list[int]], Sequence[Row]]:
    def row(found: FunctionRow) -> Row:
        aliases = [f"{chip.get('name', '')}:{chip.get('version', '')}" for chip in found.aliases]
        place = (found.pk, found.name, accounts.get(found.account, ""), found.region)
        return [*place, aliases, *values(found, _PLAIN)]

    return lambda keys: [*map(row, rows_of(keys))]


def version_table(function: int) -> Table:
    """All versions of a function, the newest first, $LATEST before them."""

    def row(found: VersionRow) -> Row:
        version, image = found.version, found.image
        aliases = [share.alias for share in found.shares]
        base = image.base_stream.name if image and image.base_stream else ""
        deployed = (found.deployed_tag.name if found.deployed_tag else "", found.drifted)
        freshness = image.freshness if image else Freshness.UNKNOWN
        return [*values(version, _VERSION), aliases, base, freshness, found.tags, *deployed]

    return Table(
        f"versions-{function}",
        VERSIONS,
        in_batches(version_keys(function), lambda keys: [*map(row, version_rows(keys))]),
    )


def risk_table(reach: Reach, account: str = "") -> Table:
    """All live uses of images that a lifecycle policy would take away."""
    rows = [
        [*values(row.use, RISKS[:5]), row.danger.digest, row.danger.rule, row.text] for row in at_risk(reach, account)
    ]
    return Table("at-risk", RISKS, [rows])
