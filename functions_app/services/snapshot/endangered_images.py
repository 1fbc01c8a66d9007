"""Who needs the images that a lifecycle policy would take away: every use of one, from the snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from django.db.models import QuerySet

from functions_app.domain.changes.ways_back import is_way_back
from functions_app.domain.fleet.functions import unqualified
from functions_app.domain.fleet.lifecycle_policies import Danger, Expiring, Need, Use, endangered
from functions_app.models import Alias, Image, LifecycleForecast, Version
from functions_app.services.snapshot.live_versions import beside_published, live_versions
from functions_app.services.snapshot.rollback_targets import seen_versions


@dataclass(frozen=True)
class RiskRow:
    """One use of an image that would go: the sentence, where it leads, and how much it matters."""

    repository_id: int
    text: str
    live: bool
    danger: Danger

    @property
    def use(self) -> Use:
        """Who uses the image."""
        return self.danger.use


@dataclass(frozen=True)
class LiveDangers:
    """What is live and would lose its image: how many functions, how many of their versions, and the first few."""

    functions: int = 0
    versions: int = 0
    named: tuple[RiskRow, ...] = ()


@dataclass(frozen=True)
class _Row:
    repository: int
    digest: str
    function: int
    name: str
    account: str
    version: str
    published: bool  # there is a $LATEST.PUBLISHED


def dangers(*, repository_id: int | None = None, account_id: int | None = None) -> tuple[RiskRow, ...]:
    """Every use of an image that would go, the most needed first, whichever account uses it. Four queries.

    `repository_id` is the repository the images are in, `account_id` the account of the functions.
    """
    rows = _rows(Version.objects.all(), repository_id, account_id)
    return _told(rows, seen_versions({row.function for row in rows})) if rows else ()


def dangers_by(repository_id: int, expiring: Sequence[Expiring]) -> tuple[RiskRow, ...]:
    """The same of one repository whose forecast was read already. Three queries."""
    rows = _rows(Version.objects.all(), repository_id, None)
    if not rows:
        return ()
    uses = _uses(rows, seen_versions({row.function for row in rows}))
    return _sentences({repository_id: expiring}, uses)


def live_dangers(few: int, account_id: int | None = None) -> LiveDangers:
    """What is live and would lose its image, of one account or of all: counted, and the first few told by name.

    Three queries, one where there is none. A policy may take thousands, so aliases and forecasts are read of the few.
    """
    rows = _rows(live_versions(), None, account_id)
    if not rows:
        return LiveDangers()
    first = nsmallest(few, rows, key=lambda row: (row.name, row.account, row.version, row.function))
    named = tuple(row for row in _told(first) if row.live)  # an alias may have moved meanwhile
    return LiveDangers(len({row.function for row in rows}), len(rows), named)


def _told(rows: Sequence[_Row], seen: Mapping[tuple[int, str], set[str]] | None = None) -> tuple[RiskRow, ...]:
    """A sentence on each that its repository's forecast names. Two queries. `seen` None: ways back don't matter."""
    uses = _uses(rows, seen)
    forecasts = LifecycleForecast.objects.filter(repository__in=uses).values_list("repository_id", "expiring")
    return _sentences({key: [Expiring.from_json(entry) for entry in entries] for key, entries in forecasts}, uses)


def _sentences(forecasts: Mapping[int, Sequence[Expiring]], uses: Mapping[int, Sequence[Use]]) -> tuple[RiskRow, ...]:
    found = [
        RiskRow(repository, danger.text, danger.need is Need.LIVE, danger)
        for repository, expiring in forecasts.items()
        for danger in endangered(expiring, uses[repository])
    ]
    return tuple(sorted(found, key=_most_needed_first))


def _most_needed_first(row: RiskRow) -> tuple[Need, str, str, str, int]:
    use = row.use
    return row.danger.need, use.function, use.account, use.version, use.function_id


def _rows(versions: QuerySet[Version], repository_id: int | None, account_id: int | None) -> list[_Row]:
    """Those of these versions whose image would go."""
    # The few images first: a database that has not counted its indexes yet would begin with all functions.
    expiring = Image.objects.filter(expiry_rule__isnull=False, gone_at=None)
    if repository_id is not None:
        expiring = expiring.filter(repository=repository_id)
    found = versions.filter(image__in=expiring.values("pk"), function__gone_at=None)
    if account_id is not None:
        found = found.filter(function__account=account_id)
    return _read(found)


def would_endanger(repository_id: int, expiring: Sequence[Expiring]) -> tuple[Danger, ...]:
    """Every use of images of a repository that would go, whatever its forecast says; the most needed first.

    Three queries, one where nobody uses them.
    """
    digests = {digest for each in expiring for digest in (each.digest, *each.members)}
    used = Version.objects.filter(image__repository=repository_id, image__digest__in=digests, function__gone_at=None)
    rows = _read(used)
    if not rows:
        return ()
    return endangered(expiring, _uses(rows, seen_versions({row.function for row in rows}))[repository_id])


def _read(versions: QuerySet[Version]) -> list[_Row]:
    columns = versions.values_list(
        "image__repository_id",
        "digest",
        "function_id",
        "function__name",
        "function__account__name",
        "number",
        beside_published(),
    )
    return [_Row(*values) for values in columns]


def _uses(rows: Iterable[_Row], seen: Mapping[tuple[int, str], set[str]] | None) -> Mapping[int, list[Use]]:
    """By repository who uses its images, with the aliases that point to each version or could go back to it."""
    functions = {row.function for row in rows}
    aliases: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    pointing = Alias.objects.filter(function__in=functions).order_by("name")
    for function, name, first, second in pointing.values_list("function_id", "name", "version", "second_version"):
        aliases[function].append((name, first, second))
    found: dict[int, list[Use]] = defaultdict(list)
    for row in rows:
        own = aliases[row.function]
        found[row.repository].append(
            Use(
                digest=row.digest,
                function_id=row.function,
                function=row.name,
                account=row.account,
                version=row.version,
                aliases=tuple(name for name, first, second in own if row.version in (first, second)),
                ways_back=()
                if seen is None
                else tuple(
                    name
                    for name, first, _ in own
                    if is_way_back(row.version, first, seen.get((row.function, name), set()))
                ),
                called=not own and row.version == unqualified(row.published),
            )
        )
    return found
