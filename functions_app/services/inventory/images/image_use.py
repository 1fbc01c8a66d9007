"""Which images are in use: the one rule behind every count and list of images.

One image is what can be deployed, or an index with all that is in it (domain.images.roles: UNITS). It is in use where a
version of a function that is there runs it or a part of it, or where functions stand on it as their base.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from functions_app.domain.fleet.functions import unqualified
from functions_app.domain.images.roles import ARTIFACTS, UNITS, Role
from functions_app.domain.images.statuses import NOT_PULLABLE
from functions_app.domain.refs import repository_of
from functions_app.models import Alias, BaseRelease, BaseStream, BaseUse, Function, Image, Tag, Version
from functions_app.services.snapshot.live_versions import beside_published, live_versions

Standing = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Use:
    """A function that has versions with an image, and which of its aliases point to one of those."""

    function_id: int
    name: str
    versions: tuple[str, ...]
    aliases: tuple[str, ...]
    live: bool = False  # calls reach one of those versions


@dataclass(frozen=True)
class Sums:
    """What a repository holds: `size_bytes` of an index is that of its images; `archived` can't be pulled now."""

    images: int = 0
    in_use: int = 0
    untagged: int = 0
    archived: int = 0
    parts: int = 0
    artifacts: int = 0
    size_bytes: int = 0
    pushed_at: datetime | None = None


def _run() -> Exists:
    """Whether a version of a function that is there runs the image."""
    # The functions that are gone are few: known once, while a join would look at one for each version.
    return Exists(Version.objects.filter(image=OuterRef("pk")).exclude(function__in=_GONE))


_GONE = Function.objects.filter(gone_at__isnull=False).order_by()
_UNIT, _PART = Q(role__in=UNITS), Q(role=Role.PART)
_THERE = Image.objects.filter(gone_at=None).order_by()
# Built once: building these takes longer than their answers.
_SUMS = _THERE.values("repository_id").annotate(
    images=Count("pk", filter=_UNIT),
    archived=Count("pk", filter=_UNIT & Q(status__in=NOT_PULLABLE)),
    parts=Count("pk", filter=_PART),
    artifacts=Count("pk", filter=~_UNIT & ~_PART),
    size=Coalesce(Sum("size_bytes", filter=~Q(role=Role.INDEX)), Value(0)),
    pushed=Max("pushed_at"),
)
_SUMS_OF_ONE = _SUMS.annotate(run=Count("pk", filter=_UNIT & Q(_run())))
# Counted, not found: PostgreSQL would join every version there is, however few images these are.
_RUN_THERE = _THERE.filter(_UNIT).values_list("repository_id").annotate(count=Count("pk", filter=Q(_run())))
_GONE_SUMS = (
    Image.objects.filter(gone_at__isnull=False)
    .order_by()
    .values("repository_id")
    .annotate(images=Count("pk", filter=_UNIT), used=Count("pk", filter=Q(_run())))
)


def sums_of(repositories: Collection[int], standing: Standing, *, brief: bool = False) -> dict[int, Sums]:
    """By repository what it holds, and how much of that is in use. Three queries, and one for each rarity among it.

    The first reads an index alone. Tagged artifacts are looked for only where it counted some; not at all where it is
    `brief`, without what has no tag: two queries then.
    """
    one = len(repositories) == 1
    rows: Sequence[Mapping[str, Any]] = list((_SUMS_OF_ONE if one else _SUMS).filter(repository__in=repositories))
    if standing or any(row["parts"] for row in rows):
        used = _used_in(repositories, standing)
    else:
        used = {row["repository_id"]: row["run"] for row in rows} if one else _run_in(repositories)
    untagged = {} if brief else _untagged(repositories, rows)
    return {
        key: Sums(
            images=row["images"],
            in_use=used.get(key, 0),
            untagged=untagged.get(key, 0),
            archived=row["archived"],
            parts=row["parts"],
            artifacts=row["artifacts"],
            size_bytes=row["size"],
            pushed_at=row["pushed"],
        )
        for row in rows
        if (key := row["repository_id"])
    }


def _untagged(repositories: Collection[int], rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    tagged = Tag.objects.filter(repository__in=repositories).order_by().values_list("repository_id")
    named = dict(tagged.annotate(count=Count("digest", distinct=True)))
    beside = _tagged_artifacts([row["repository_id"] for row in rows if row["artifacts"]])
    keys = {row["repository_id"]: row["images"] for row in rows}
    return {key: max(0, images - named.get(key, 0) + beside.get(key, 0)) for key, images in keys.items()}


def _run_in(repositories: Collection[int]) -> dict[int, int]:
    return dict(_RUN_THERE.filter(repository__in=repositories))


def _there(repositories: Collection[int]) -> QuerySet[Image]:
    return _THERE.filter(repository__in=repositories)


def _tagged_artifacts(repositories: Collection[int]) -> dict[int, int]:
    """By repository how many artifacts have a tag; parts have none. Of tagged artifacts there are few."""
    if not repositories:
        return {}
    tags = Tag.objects.filter(repository=OuterRef("repository"), digest=OuterRef("digest"))
    others = _there(repositories).filter(Exists(tags), role__in=ARTIFACTS)
    return dict(others.values_list("repository_id").annotate(count=Count("pk")))


def streams_of(uris: Collection[str]) -> dict[int, str]:
    """The streams whose releases are images of these repositories, each with its repository. One query."""
    streams = BaseStream.objects.order_by().values_list("pk", "reference")
    return {pk: uri for pk, reference in streams if (uri := repository_of(reference)) in uris}


def standing_in(uris: Collection[str]) -> Standing:
    """The same for all streams whose releases are images of these repositories. Two queries at most."""
    return standing_on(streams_of(uris))


def standing_on(streams: Mapping[int, str]) -> Standing:
    """By repository and digest how many functions stand on it as their base. One query, none without streams."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if not streams:
        return found
    uses = BaseUse.objects.filter(stream__in=streams, release__isnull=False).order_by()
    rows = uses.values_list("stream_id", "release__manifest_digest", "release__index_digest")
    for stream, manifest, index, count in rows.annotate(count=Count("function", distinct=True)):
        for digest in {manifest, index} - {""}:
            found[streams[stream]][digest] += count
    return found


def _used_in(repositories: Collection[int], standing: Standing) -> dict[int, int]:
    """By repository how many images are in use: run themselves, by a part of theirs, or stood on. One query."""
    stood_on = Q(pk__in=())
    for uri, digests in standing.items():
        stood_on |= Q(repository__uri=uri, digest__in=list(digests))
    used = _there(repositories).filter((_UNIT | _PART) & (Q(_run()) | stood_on))
    image = Case(When(role=Role.PART, then="part_of"), default="digest")
    return dict(used.values_list("repository_id").annotate(count=Count(image, distinct=True)))


@dataclass(frozen=True)
class Gone:
    """Images that ECR no longer has: how many are still listed as one, and how many of all are run."""

    images: int
    used: int


def gone_from(repository: int) -> Gone:
    """What a repository no longer holds. One query."""
    found = next(iter(_GONE_SUMS.filter(repository=repository)), None)
    return Gone(found["images"], found["used"]) if found else Gone(0, 0)


def endangered(repositories: Collection[int]) -> dict[int, int]:
    """By repository how many images that are live a lifecycle rule will take away, by the last forecast. One query."""
    # From what will go to who runs it: a join may begin with all functions instead, and look at every version.
    doomed = Image.objects.filter(repository__in=repositories, expiry_rule__isnull=False, gone_at=None).order_by()
    live = live_versions().filter(image__in=doomed.values("pk")).exclude(function__in=_GONE).order_by()
    rows = live.values_list("image__repository_id")
    return dict(rows.annotate(count=Count("image", distinct=True)))


def base_streams(streams: Collection[int] | QuerySet[BaseStream], digests: Collection[str]) -> dict[str, BaseStream]:
    """By digest the one of these streams that an image is a release of: others may stand on it. One query."""
    releases = BaseRelease.objects.filter(
        Q(manifest_digest__in=digests) | Q(index_digest__in=digests), stream__in=streams
    )
    found: dict[str, BaseStream] = {}
    for release in releases.select_related("stream").only("manifest_digest", "index_digest", "stream__name"):
        for digest in (release.manifest_digest, release.index_digest):
            found.setdefault(digest, release.stream)
    return found


def uses_of(images: Sequence[int]) -> dict[int, list[Use]]:
    """Who uses each image: those under an alias first. Two queries."""
    versions = Version.objects.filter(image__in=images, function__gone_at=None).order_by(
        "function__name", "function_id", "-ordinal"
    )
    rows = list(versions.values_list("image_id", "function_id", "function__name", "number", beside_published()))
    aliases: dict[tuple[int, str], list[str]] = defaultdict(list)
    pointing = Alias.objects.filter(function__in={row[1] for row in rows}).order_by("name")
    for function, name, first, second in pointing.values_list("function_id", "name", "version", "second_version"):
        aliases[function, first].append(name)
        if second:
            aliases[function, second].append(name)
    numbers: dict[tuple[int, int], list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    reached: dict[int, str] = {}
    for image, function, name, number, published in rows:
        reached[function] = unqualified(published)
        numbers[image, function].append(number)
        names[function] = name
    found: dict[int, list[Use]] = defaultdict(list)
    aliased = {function for function, _ in aliases}
    for (image, function), listed in numbers.items():
        pointed = tuple(dict.fromkeys(alias for number in listed for alias in aliases.get((function, number), ())))
        live = bool(pointed) or (reached[function] in listed and function not in aliased)
        found[image].append(Use(function, names[function], tuple(listed), pointed, live))
    for uses in found.values():
        uses.sort(key=lambda use: (not use.aliases, use.name))
    return found


def merged(several: Sequence[Sequence[Use]]) -> list[Use]:
    """The uses of several images as those of one: each function once."""
    found: dict[int, Use] = {}
    for use in (use for uses in several for use in uses):
        known = found.get(use.function_id)
        found[use.function_id] = (
            use
            if known is None
            else replace(
                known,
                versions=(*known.versions, *use.versions),
                aliases=tuple(dict.fromkeys((*known.aliases, *use.aliases))),
                live=known.live or use.live,
            )
        )
    return sorted(found.values(), key=lambda use: (not use.aliases, use.name))
