"""What the summaries of some functions are worked out from, read for all of them at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from functions_app.domain.bases.overdue_policies import Policy
from functions_app.domain.fleet.deployed_images import DeployedAs, deployed_as, moved_tag
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST
from functions_app.domain.fleet.states import Condition
from functions_app.models import Alias, Tag, Version
from functions_app.services.snapshot.alias_histories import last_moves
from functions_app.services.snapshot.runtimes import Runtimes

CONDITION = tuple(field.name for field in fields(Condition))


@dataclass(frozen=True)
class Known:
    """What one batch is worked out from."""

    aliases: dict[int, list[Alias]]
    versions: dict[tuple[int, str], Version]
    tag_digests: dict[tuple[str, str], str]  # (repository uri, tag) -> digest now
    tags_of: dict[str, set[str]]  # digest -> tags now
    policies: tuple[Policy, ...]
    today: date
    moves: dict[tuple[int, str], tuple[datetime, str]]  # (function, alias) -> when it was moved last, by whom
    runtimes: Mapping[int, str]  # by image

    def moved_tag(self, version: Version | None) -> str:
        """The tag the version was deployed by, if it points elsewhere now."""
        if version is None or version.detailed_at is None:
            return ""
        deployed = _deployed_as(version)
        now = self.tag_digests.get((deployed.repository, deployed.tag), "")
        return deployed.tag if moved_tag(deployed, version.digest, now) else ""

    def tags(self, digests: Iterable[str]) -> set[str]:
        """What these digests are called now."""
        return {tag for digest in digests for tag in self.tags_of.get(digest, ())}


def read_known(
    ids: Sequence[int], listed: Iterable[Alias], policies: tuple[Policy, ...], today: date, runtimes: Runtimes
) -> Known:
    """Of these functions, whose aliases are `listed`. A constant number of queries."""
    aliases: dict[int, list[Alias]] = defaultdict(list)
    numbers = {LATEST, PUBLISHED_LATEST}
    for alias in listed:
        aliases[alias.function_id].append(alias)
        numbers |= {alias.version, alias.second_version} - {""}
    wanted = Version.objects.filter(function_id__in=ids, number__in=numbers)
    related = wanted.select_related("image__base_stream").only(
        "function_id", "number", "digest", "image_uri", "deployed_tag", *CONDITION, "detailed_at", "detail_problem",
        "image__gone_at", "image__expiry_rule", "image__status", "image__freshness", "image__freshness_reason",
        "image__releases_behind", "image__days_behind", "image__stale_since", "image__end_of_life_on",
        "image__base_stream__name", "image__base_release",
        *(("image__base_lineage",) if policies else ()),
    )  # fmt: skip
    versions = {(version.function_id, version.number): version for version in related}
    digests = {version.digest for version in versions.values()}
    names = {tag for version in versions.values() if (tag := _deployed_as(version).tag)}
    tag_digests: dict[tuple[str, str], str] = {}
    tags_of: dict[str, set[str]] = defaultdict(set)
    found = Tag.objects.filter(digest__in=digests) | Tag.objects.filter(name__in=names)
    for uri, name, digest in found.values_list("repository__uri", "name", "digest"):
        tag_digests[uri, name] = digest
        tags_of[digest].add(name)
    images = {version.image.pk: version.image for version in versions.values() if version.image}
    brought = runtimes.of(images.values())
    return Known(aliases, versions, tag_digests, tags_of, policies, today, last_moves(ids), brought)


def _deployed_as(version: Version) -> DeployedAs:
    return deployed_as(version.image_uri, version.deployed_tag)
