"""One function: its head with the advice, its versions and aliases, and the chain from alias to newest base."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db.models import Q

from functions_app.domain.changes.production import ProductionAliases
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.deployed_images import DeployedAs, deployed_as
from functions_app.domain.fleet.features import Told, in_words, stored
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, unqualified
from functions_app.domain.fleet.parts import PartAge, oldest, read_together
from functions_app.domain.runs import ACTIVE
from functions_app.models import Alias, BaseRelease, Function, Image, Run, Tag, Version
from functions_app.services.inventory.fleet.advice import Advice, advise, mending
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.services.people import accounts
from functions_app.services.snapshot.missed_parts import part_ages
from functions_app.services.snapshot.unread_versions import unread_reason

PAGE_SIZE = 50


@dataclass(frozen=True)
class FunctionHead:
    """What stands above every tab of a function."""

    pk: int
    name: str
    arn: str
    account: AccountFact
    region: str
    description: str
    state: str
    state_reason: str
    owner: str
    managed_by: str
    features: tuple[Told, ...]
    parts: tuple[PartAge, ...]
    production: ProductionAliases
    gone_at: datetime | None
    advice: Advice

    @property
    def read_at(self) -> datetime | None:
        """The age of all parts, where one tells it; else each is told by itself."""
        return _together(self.parts)

    @property
    def missed(self) -> tuple[PartAge, ...]:
        """The parts that the last attempt did not get, with why."""
        return tuple(part for part in self.parts if part.problem)

    @property
    def unknown(self) -> frozenset[str]:
        """The parts that were never told, so that nothing at all is known of them."""
        return frozenset(part.part.value for part in self.missed if part.read_at is None)


@dataclass(frozen=True)
class TagNow:
    """The tag a version was deployed by, and what it points to now ("" where it is not known or gone)."""

    name: str
    digest: str


@dataclass(frozen=True)
class Share:
    """An alias's share of calls that a version gets: 1 is all."""

    alias: str
    weight: float


@dataclass(frozen=True)
class VersionRow:
    """A version with the image it runs, as far as it is known."""

    version: Version
    image: Image | None
    tags: tuple[str, ...]
    deployed_tag: TagNow | None
    newest: BaseRelease | None
    shares: tuple[Share, ...]

    @property
    def unread(self) -> str:
        """Why its state and what it was deployed by are not known; "" where they are."""
        return unread_reason(self.version, named=bool(self.shares))

    @property
    def drifted(self) -> bool:
        """Whether the tag it was deployed by points elsewhere now."""
        return self.deployed_tag is not None and self.deployed_tag.digest not in ("", self.version.digest)


@dataclass(frozen=True)
class Lane:
    """One way calls take: alias (empty: no alias, $LATEST), its share, and the version, which may be missing."""

    alias: str
    weight: float
    number: str
    row: VersionRow | None


@dataclass(frozen=True)
class FunctionVersions:
    """A page of the versions, all lanes, and the aliases' names in order."""

    rows: tuple[VersionRow, ...]
    lanes: tuple[Lane, ...]
    aliases: tuple[str, ...]
    total: int
    page: int
    pages: int


WITH_IMAGES = Version.objects.select_related(
    "image__repository", "image__base_release__stream", "image__base_stream"
).only(
    "number", "ordinal", "description", "digest", "image_uri", "deployed_tag", "last_modified", "state", "state_reason",
    "state_reason_code", "last_update_status", "last_update_reason", "last_update_reason_code", "detailed_at",
    "detail_problem",
    "image__digest", "image__gone_at", "image__status", "image__expiry_rule", "image__base_lineage",
    "image__base_evidence", "image__freshness", "image__freshness_reason", "image__releases_behind",
    "image__days_behind", "image__repository__uri", "image__base_stream__name", "image__base_release__platform",
    "image__base_release__manifest_digest", "image__base_release__tag", "image__base_release__created_at",
    "image__base_release__stream__name",
)  # fmt: skip


def _together(parts: tuple[PartAge, ...]) -> datetime | None:
    return oldest(parts) if read_together(parts) else None


def read_at(function: Function) -> datetime | None:
    """The age of all parts of a function, where one tells it. No query."""
    return _together(part_ages(function))


def function_head(pk: int) -> FunctionHead:
    """Read the head. Two queries, three of a function that is broken. Raises NOT_FOUND."""
    function = Function.objects.select_related("account").filter(pk=pk).first()
    if function is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such function.", next_step="Look for it by name in Functions."
        )
    account = function.account
    run = Run.objects.filter(function=function, status__in=sorted(ACTIVE)).values_list("pk", "title").first()
    return FunctionHead(
        pk=function.pk,
        name=function.name,
        arn=function.arn,
        account=AccountFact(account.pk, account.name, account.account_id, account.colour),
        region=function.region,
        description=function.description,
        state=function.state,
        state_reason=function.state_reason,
        owner=function.owner,
        managed_by=function.managed_by,
        features=in_words(stored(function.features)),
        parts=part_ages(function),
        production=accounts.production(account),
        gone_at=function.gone_at,
        advice=advise(function, run, mending(function)),
    )


def function_versions(pk: int, page: int = 1) -> FunctionVersions:
    """A page of published versions, newest first ($LATEST leads the first page), and all lanes. Seven queries."""
    aliases = list(Alias.objects.filter(function_id=pk).order_by("name"))
    published = Version.objects.filter(function_id=pk).exclude(number=LATEST)
    total = published.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    start = (page - 1) * PAGE_SIZE
    listed = list(published.order_by("-ordinal").values_list("number", flat=True)[start : start + PAGE_SIZE])
    live = {number for alias in aliases for number in (alias.version, alias.second_version) if number}
    wanted = WITH_IMAGES.filter(function_id=pk, number__in={LATEST, PUBLISHED_LATEST, *live, *listed})
    rows = {row.version.number: row for row in _describe(list(wanted), aliases)}
    first = [LATEST] if page == 1 and LATEST in rows else []
    return FunctionVersions(
        rows=tuple(rows[number] for number in [*first, *listed]),
        lanes=_lanes(aliases, rows),
        aliases=tuple(alias.name for alias in aliases),
        total=total,
        page=page,
        pages=pages,
    )


def _lanes(aliases: Sequence[Alias], rows: Mapping[str, VersionRow]) -> tuple[Lane, ...]:
    if not aliases:
        reached = unqualified(PUBLISHED_LATEST in rows)
        return (Lane("", 1.0, reached, rows.get(reached)),)
    lanes = []
    for alias in aliases:
        second = alias.second_weight if alias.second_version else 0.0
        lanes.append(Lane(alias.name, 1.0 - second, alias.version, rows.get(alias.version)))
        if alias.second_version:
            lanes.append(Lane(alias.name, second, alias.second_version, rows.get(alias.second_version)))
    return tuple(lanes)


def _describe(versions: Sequence[Version], aliases: Sequence[Alias]) -> list[VersionRow]:
    return described(versions, _newest(version.image for version in versions if version.image), _shares(aliases))


def described(
    versions: Sequence[Version],
    newest: Mapping[tuple[int, str], BaseRelease] = MappingProxyType({}),
    shares: Mapping[str, tuple[Share, ...]] = MappingProxyType({}),
) -> list[VersionRow]:
    """Versions with what their tags say now, and the newest releases of their bases where that was read. One query."""
    deployed = {version.number: _deployed_tag(version) for version in versions}
    tags = _tags(versions, [each for each in deployed.values() if each])
    rows = []
    for version in versions:
        by, image = deployed[version.number], version.image
        tag = TagNow(by.tag, tags.get((by.repository, by.tag), "")) if by else None
        release = image.base_release if image else None
        rows.append(
            VersionRow(
                version=version,
                image=image,
                tags=tuple(name for (uri, name), points in sorted(tags.items()) if _is_tag_of(image, uri, points)),
                deployed_tag=tag,
                newest=newest.get((release.stream_id, release.platform)) if release else None,
                shares=shares.get(version.number, ()),
            )
        )
    return rows


def _is_tag_of(image: Image | None, uri: str, digest: str) -> bool:
    return image is not None and image.digest == digest and image.repository.uri == uri


def _deployed_tag(version: Version) -> DeployedAs | None:
    """Repository and tag, where it was deployed by a tag (in Drydock: chosen by one) and that is known."""
    if version.detailed_at is None:
        return None
    deployed = deployed_as(version.image_uri, version.deployed_tag)
    return deployed if deployed.tag else None


def _tags(versions: Sequence[Version], deployed: Sequence[DeployedAs]) -> dict[tuple[str, str], str]:
    """What tags point to now, by repository and name: those on the versions' images and those deployed by."""
    images = [version.image for version in versions if version.image]
    wanted = Q(
        repository_id__in={image.repository_id for image in images}, digest__in={image.digest for image in images}
    ) | Q(
        repository__uri__in={each.repository for each in deployed},
        name__in={each.tag for each in deployed},
    )
    found = Tag.objects.filter(wanted).values_list("repository__uri", "name", "digest")
    return {(uri, name): digest for uri, name, digest in found}


def _newest(images: Iterable[Image]) -> dict[tuple[int, str], BaseRelease]:
    """The current release of each stream and platform the images are built on."""
    streams = {image.base_release.stream_id for image in images if image.base_release}
    if not streams:
        return {}
    current = BaseRelease.objects.filter(stream__in=streams, current=True).select_related("stream")
    current = current.only("platform", "manifest_digest", "tag", "created_at", "stream__name")
    current = current.order_by("created_at", "-pk")  # of several for a platform the newest counts, as for verdicts
    return {(release.stream_id, release.platform): release for release in current}


def _shares(aliases: Sequence[Alias]) -> dict[str, tuple[Share, ...]]:
    found: dict[str, tuple[Share, ...]] = {}
    for alias in aliases:
        second = alias.second_weight if alias.second_version else 0.0
        found[alias.version] = (*found.get(alias.version, ()), Share(alias.name, 1.0 - second))
        if alias.second_version:
            found[alias.second_version] = (*found.get(alias.second_version, ()), Share(alias.name, second))
    return found


def overridden(settings: Mapping[str, str | Sequence[str]]) -> str:
    """What a function sets instead of its image (`configuration`'s image_settings), in one line."""
    words = {name: value if isinstance(value, str) else " ".join(value) for name, value in settings.items()}
    return " ".join(f"{name}: {value}" for name, value in words.items() if value)


def configuration(pk: int) -> Mapping[str, Any]:
    """The function's own settings, for the image page. One query."""
    row = Function.objects.filter(pk=pk).values(
        "architecture",
        "memory_mb",
        "timeout_s",
        "ephemeral_mb",
        "role_arn",
        "log_group",
        "env_keys",
        "image_settings",
        "tags",
        "image_uri",
        "digest",
        "last_modified",
    )
    return row[0]
