"""What is in use and at risk: images that a lifecycle policy would take away though functions need them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app.domain.errors import Problem
from functions_app.domain.fleet import LATEST
from functions_app.domain.lifecycle import Danger, Expiring, Need, Use, endangered
from functions_app.domain.ways_back import is_way_back
from functions_app.models import Alias, LifecycleForecast, Version
from functions_app.services.rollback_targets import seen_versions

SHOWN = 200  # images and uses that a page lists


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
class Forecast:
    """What a repository's page shows of its forecast."""

    policy: str
    expiring: tuple[Expiring, ...]
    read_at: datetime | None
    attempted_at: datetime
    problem: Problem | None
    dangers: tuple[RiskRow, ...]

    @property
    def policy_text(self) -> str:
        """The policy as people read it, a line for each setting."""
        try:
            return json.dumps(json.loads(self.policy), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.policy

    @property
    def worst(self) -> tuple[RiskRow, ...]:
        """Uses that are live."""
        return tuple(row for row in self.dangers if row.live)

    @property
    def others(self) -> tuple[RiskRow, ...]:
        """The other uses, as far as a page names them."""
        return tuple(row for row in self.dangers if not row.live)[:SHOWN]

    @property
    def shown(self) -> tuple[Expiring, ...]:
        """The images, as far as a page lists them."""
        return self.expiring[:SHOWN]

    @property
    def hidden(self) -> int:
        """How many images are not listed."""
        return len(self.expiring) - len(self.shown)


def dangers(
    *, repository_id: int | None = None, account_id: int | None = None, live: bool = False
) -> tuple[RiskRow, ...]:
    """Every use of an image that would go, the most needed first, whichever account uses it. Four queries.

    `repository_id` is the repository the images are in, `account_id` the account of the functions; `live` leaves out
    what is not live, which costs three queries, and little where much would go.
    """
    versions = live_versions() if live else Version.objects.all()
    versions = versions.filter(image__expiry_rule__isnull=False, image__gone_at=None, function__gone_at=None)
    if repository_id is not None:
        versions = versions.filter(image__repository=repository_id)
    if account_id is not None:
        versions = versions.filter(function__account=account_id)
    rows = [
        _Row(*values)
        for values in versions.values_list(
            "image__repository_id", "digest", "function_id", "function__name", "function__account__name", "number"
        )
    ]
    if not rows:
        return ()
    uses = _uses(rows, ways=not live)
    forecasts = LifecycleForecast.objects.filter(repository__in=uses).values_list("repository_id", "expiring")
    found = [
        RiskRow(repository, danger.text, danger.need is Need.LIVE, danger)
        for repository, entries in forecasts
        for danger in endangered([Expiring.from_json(entry) for entry in entries], uses[repository])
    ]
    return tuple(sorted(found, key=lambda row: (row.danger.need, row.use.function, row.use.account, row.use.version)))


def live_versions() -> QuerySet[Version]:
    """Versions that an alias points to, and $LATEST of functions without aliases."""
    aliases = Alias.objects.filter(function=OuterRef("function"))
    pointing = aliases.filter(Q(version=OuterRef("number")) | Q(second_version=OuterRef("number")))
    return Version.objects.filter(Exists(pointing) | Q(number=LATEST) & ~Exists(aliases))


@dataclass(frozen=True)
class _Row:
    repository: int
    digest: str
    function: int
    name: str
    account: str
    version: str


def _uses(rows: Iterable[_Row], *, ways: bool) -> Mapping[int, list[Use]]:
    """By repository who uses its images, with the aliases that point to each version or could go back to it."""
    functions = {row.function for row in rows}
    aliases: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    pointing = Alias.objects.filter(function__in=functions).order_by("name")
    for function, name, first, second in pointing.values_list("function_id", "name", "version", "second_version"):
        aliases[function].append((name, first, second))
    seen = seen_versions(functions) if ways else {}
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
                ways_back=tuple(
                    name
                    for name, first, _ in own
                    if ways and is_way_back(row.version, first, seen.get((row.function, name), set()))
                ),
                has_aliases=bool(own),
            )
        )
    return found


def forecast(repository_id: int) -> Forecast | None:
    """The repository's forecast with what it would break; None where none was ever read. Five queries."""
    row = LifecycleForecast.objects.filter(repository=repository_id).first()
    if row is None:
        return None
    return Forecast(
        policy=row.policy,
        expiring=tuple(Expiring.from_json(entry) for entry in row.expiring),
        read_at=row.read_at,
        attempted_at=row.attempted_at,
        problem=Problem.from_json(row.problem) if row.problem else None,
        dangers=dangers(repository_id=repository_id),
    )
