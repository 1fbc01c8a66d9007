"""Repositories and their images: what there is, and which functions, versions and aliases use each."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.tag_mutability import TagMutability
from functions_app.models import Alias, BaseRelease, BaseStream, Function, Image, Repository, Tag, Version

PAGE_SIZE = 50
SHOWN_USES = 6  # functions named beside an image; its own page names all


@dataclass(frozen=True)
class RepositoryRow:
    """One row of the list."""

    pk: int
    name: str
    account: str
    colour: str
    region: str
    images: int
    untagged: int
    in_use: int
    size_bytes: int
    pushed_at: datetime | None
    tags: TagMutability
    gone_at: datetime | None
    read_at: datetime | None  # its images
    problem: Problem | None


@dataclass(frozen=True)
class RepositoryHead:
    """What stands above a repository's images."""

    repository: Repository
    images: int
    gone: int
    size_bytes: int
    tags: TagMutability


@dataclass(frozen=True)
class Use:
    """A function that has versions with an image, and which of its aliases point to one of those."""

    function_id: int
    name: str
    versions: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class ImageRow:
    """One image with its tags and its first users; so many more are on its own page."""

    image: Image
    tags: tuple[str, ...]
    uses: tuple[Use, ...]
    more_uses: int
    release_of: BaseStream | None  # a base image: others stand on it


def repositories(search: str = "", page: int = 1) -> tuple[tuple[RepositoryRow, ...], int, int, int]:
    """One page of the list, how many there are, the page and the number of pages. Two queries."""
    found = Repository.objects.all()
    for word in search.split()[:5]:
        found = found.filter(Q(uri__icontains=word) | Q(account__name__icontains=word))
    total = found.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    start = (page - 1) * PAGE_SIZE
    there = Image.objects.filter(repository=OuterRef("pk"), gone_at=None).order_by().values("repository")
    tagged = Tag.objects.filter(repository=OuterRef("pk")).order_by().values("repository")
    # The functions that are gone are few: known once, while a join would look at one for each version.
    gone = Function.objects.filter(gone_at__isnull=False).order_by().values("pk")
    users = Version.objects.filter(image=OuterRef("pk")).exclude(function__in=gone)
    used = Image.objects.filter(Exists(users), repository=OuterRef("pk")).order_by().values("repository")
    rows = (
        found.annotate(
            held=Coalesce(Subquery(there.annotate(count=Count("pk")).values("count")), 0),
            size_bytes=Coalesce(Subquery(there.annotate(sum=Sum("size_bytes")).values("sum")), 0),
            pushed_at=Subquery(there.annotate(last=Max("pushed_at")).values("last")),
            tagged=Coalesce(Subquery(tagged.annotate(count=Count("digest", distinct=True)).values("count")), 0),
            in_use=Coalesce(Subquery(used.annotate(count=Count("pk")).values("count")), 0),
        )
        .select_related("account")
        .order_by("gone_at", "name", "account__name", "region", "pk")[start : start + PAGE_SIZE]
    )
    return tuple(_row(row) for row in rows), total, page, pages


def _row(row: Repository) -> RepositoryRow:
    images: int = row.held  # type: ignore[attr-defined]
    return RepositoryRow(
        pk=row.pk,
        name=row.name,
        account=row.account.name,
        colour=row.account.colour,
        region=row.region,
        images=images,
        untagged=max(0, images - row.tagged),  # type: ignore[attr-defined]
        in_use=row.in_use,  # type: ignore[attr-defined]
        size_bytes=row.size_bytes,  # type: ignore[attr-defined]
        pushed_at=row.pushed_at,  # type: ignore[attr-defined]
        tags=TagMutability.from_stored(row.tag_mutability, row.tag_filters),
        gone_at=row.gone_at,
        read_at=row.images_synced_at,
        problem=Problem.from_json(row.images_problem) if row.images_problem else None,
    )


def repository(pk: int, page: int = 1) -> tuple[RepositoryHead, tuple[ImageRow, ...], int, int]:
    """A repository, one page of its images (newest first), the page and the number of pages. Seven queries.

    Raises NOT_FOUND.
    """
    found = Repository.objects.select_related("account").filter(pk=pk).first()
    if found is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such repository.", next_step="Look for it by name in Repositories."
        )
    there = Q(gone_at=None)
    sums = Image.objects.filter(repository=found).aggregate(
        every=Count("pk"), there=Count("pk", filter=there), size=Coalesce(Sum("size_bytes", filter=there), 0)
    )
    pages = max(1, -(-sums["every"] // PAGE_SIZE))
    page = min(max(1, page), pages)
    start = (page - 1) * PAGE_SIZE
    images = (
        Image.objects.filter(repository=found)
        .select_related("base_release__stream")
        .defer("layers", "diff_ids", "history", "settings", "labels", "annotations", "base_release__diff_ids")
        .order_by("-pushed_at", "-pk")[start : start + PAGE_SIZE]
    )
    tags = TagMutability.from_stored(found.tag_mutability, found.tag_filters)
    head = RepositoryHead(found, sums["there"], sums["every"] - sums["there"], sums["size"], tags)
    return head, _with_uses(found, list(images)), page, pages


def _with_uses(repository: Repository, images: Sequence[Image]) -> tuple[ImageRow, ...]:
    tags: dict[tuple[int, str], list[str]] = defaultdict(list)
    for repository_id, digest, name in (
        Tag.objects.filter(
            repository__in={image.repository_id for image in images}, digest__in=[image.digest for image in images]
        )
        .order_by("name")
        .values_list("repository_id", "digest", "name")
    ):
        tags[repository_id, digest].append(name)
    uses = _uses([image.pk for image in images])
    bases = base_streams(repository.uri, [image.digest for image in images])
    return tuple(
        ImageRow(
            image,
            tuple(tags[image.repository_id, image.digest]),
            tuple(uses[image.pk][:SHOWN_USES]),
            max(0, len(uses[image.pk]) - SHOWN_USES),
            bases.get(image.digest),
        )
        for image in images
    )


def base_streams(uri: str, digests: Collection[str]) -> dict[str, BaseStream]:
    """By digest the stream of this repository that an image is a release of: others may stand on it. One query."""
    releases = BaseRelease.objects.filter(
        Q(manifest_digest__in=digests) | Q(index_digest__in=digests), stream__reference__startswith=f"{uri}:"
    )
    found: dict[str, BaseStream] = {}
    for release in releases.select_related("stream").only("manifest_digest", "index_digest", "stream__name"):
        for digest in (release.manifest_digest, release.index_digest):
            found.setdefault(digest, release.stream)
    return found


def _uses(images: Sequence[int]) -> dict[int, list[Use]]:
    """Who uses each image: those under an alias first. Two queries."""
    versions = Version.objects.filter(image__in=images, function__gone_at=None).order_by(
        "function__name", "function_id", "-ordinal"
    )
    rows = list(versions.values_list("image_id", "function_id", "function__name", "number"))
    aliases: dict[tuple[int, str], list[str]] = defaultdict(list)
    pointing = Alias.objects.filter(function__in={function for _, function, _, _ in rows}).order_by("name")
    for function, name, first, second in pointing.values_list("function_id", "name", "version", "second_version"):
        aliases[function, first].append(name)
        if second:
            aliases[function, second].append(name)
    numbers: dict[tuple[int, int], list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    for image, function, name, number in rows:
        numbers[image, function].append(number)
        names[function] = name
    found: dict[int, list[Use]] = defaultdict(list)
    for (image, function), listed in numbers.items():
        pointed = tuple(dict.fromkeys(alias for number in listed for alias in aliases[function, number]))
        found[image].append(Use(function, names[function], tuple(listed), pointed))
    for uses in found.values():
        uses.sort(key=lambda use: (not use.aliases, use.name))
    return found
