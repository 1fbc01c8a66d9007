"""Who needs the images that a lifecycle policy would take away: every use of one, from the snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions_app.domain.changes.ways_back import is_way_back
from functions_app.domain.fleet.functions import unqualified
from functions_app.domain.fleet.lifecycle_policies import Danger, Expiring, Need, Use, endangered
from functions_app.models import Alias, Image, LifecycleForecast, Version
from functions_app.services.snapshot.live_versions import beside_published
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


def dangers(
    *, repository_id: int | None = None, account_id: int | None = None, live: bool = False
) -> tuple[RiskRow, ...]:
    """Every use of an image that would go, the most needed first, whichever account uses it. Four queries.

    `repository_id` is the repository the images are in, `account_id` the account of the functions; `live` leaves out
    what is not live, which costs three queries. It is told from the aliases that are read anyhow: a database that is
    asked for live versions among these looks for the aliases of each.
    """
    # The few images first: a database that has not counted its indexes yet would begin with all functions.
    expiring = Image.objects.filter(expiry_rule__isnull=False, gone_at=None)
    if repository_id is not None:
        expiring = expiring.filter(repository=repository_id)
    versions = Version.objects.filter(image__in=expiring.values("pk"), function__gone_at=None)
    if account_id is not None:
        versions = versions.filter(function__account=account_id)
    rows = [
        _Row(*values)
        for values in versions.values_list(
            "image__repository_id",
            "digest",
            "function_id",
            "function__name",
            "function__account__name",
            "number",
            beside_published(),
        )
    ]
    if not rows:
        return ()
    uses = _uses(rows, live=live)
    forecasts = LifecycleForecast.objects.filter(repository__in=uses).values_list("repository_id", "expiring")
    found = [
        RiskRow(repository, danger.text, danger.need is Need.LIVE, danger)
        for repository, entries in forecasts
        for danger in endangered([Expiring.from_json(entry) for entry in entries], uses[repository])
    ]
    return tuple(sorted(found, key=_most_needed_first))


def _most_needed_first(row: RiskRow) -> tuple[Need, str, str, str, int]:
    use = row.use
    return row.danger.need, use.function, use.account, use.version, use.function_id


@dataclass(frozen=True)
class _Row:
    repository: int
    digest: str
    function: int
    name: str
    account: str
    version: str
    published: bool  # there is a $LATEST.PUBLISHED


def _uses(rows: Iterable[_Row], *, live: bool) -> Mapping[int, list[Use]]:
    """By repository who uses its images, with the aliases that point to each version or could go back to it."""
    functions = {row.function for row in rows}
    aliases: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    pointing = Alias.objects.filter(function__in=functions).order_by("name")
    for function, name, first, second in pointing.values_list("function_id", "name", "version", "second_version"):
        aliases[function].append((name, first, second))
    seen = {} if live else seen_versions(functions)
    found: dict[int, list[Use]] = defaultdict(list)
    for row in rows:
        own = aliases[row.function]
        pointed = tuple(name for name, first, second in own if row.version in (first, second))
        called = not own and row.version == unqualified(row.published)
        if live and not (pointed or called):
            continue
        found[row.repository].append(
            Use(
                digest=row.digest,
                function_id=row.function,
                function=row.name,
                account=row.account,
                version=row.version,
                aliases=pointed,
                ways_back=tuple(
                    name
                    for name, first, _ in own
                    if not live and is_way_back(row.version, first, seen.get((row.function, name), set()))
                ),
                called=called,
            )
        )
    return found
