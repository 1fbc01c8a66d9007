"""One repository: its images with who uses each, what belongs to them, and the artifacts that belong to none."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.roles import ARTIFACTS, UNITS, Role
from functions_app.domain.images.tag_mutability import TagMutability
from functions_app.domain.text import counted
from functions_app.models import BaseStream, Image, Repository, Tag
from functions_app.services.inventory.images.image_use import (
    Sums,
    Use,
    base_streams,
    gone_from,
    merged,
    standing_on,
    streams_of,
    sums_of,
    uses_of,
)

PAGE_SIZE = 50
SHOWN_USES = 6  # functions named beside an image; its own page names all
SHOWN_ARTIFACTS = 50
SHOWN_COLUMNS = (
    "digest", "gone_at", "status", "role", "is_index", "part_of", "expiry_rule", "freshness", "freshness_reason",
    "releases_behind", "days_behind", "platforms", "os", "architecture", "size_bytes", "pushed_at",
    "base_release__stream__name",
)  # fmt: skip


@dataclass(frozen=True)
class RepositoryHead:
    """What stands above a repository's images."""

    repository: Repository
    sums: Sums
    gone: int  # that versions still run
    tags: TagMutability


@dataclass(frozen=True)
class ImageRow:
    """One image with its tags and its first users; so many more are on its own page.

    `belongings` says what belongs to it: "2 images, 1 attestation"; `rule` is the lifecycle rule that will take it or
    a part of it away, None for none, `live` whether calls reach it.
    """

    image: Image
    tags: tuple[str, ...]
    uses: tuple[Use, ...]
    more_uses: int
    release_of: BaseStream | None  # a base image: others stand on it
    standing: int = 0  # so many functions
    belongings: str = ""
    rule: int | None = None
    live: bool = False


@dataclass(frozen=True)
class Artifact:
    """Something in the repository that is no image, and of no image that is there."""

    image: Image
    tags: tuple[str, ...]


def repository(pk: int, page: int = 1) -> tuple[RepositoryHead, tuple[ImageRow, ...], int, int]:
    """A repository, one page of its images (newest first), the page and the number of pages. Sixteen queries at most.

    Raises NOT_FOUND.
    """
    found = Repository.objects.select_related("account").filter(pk=pk).first()
    if found is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such repository.", next_step="Look for it by name in Repositories."
        )
    streams = streams_of({found.uri})
    standing = standing_on(streams)
    sums, gone = sums_of([pk], standing).get(pk, Sums()), gone_from(pk)
    pages = max(1, -(-(sums.images + gone.images) // PAGE_SIZE))
    page = min(max(1, page), pages)
    head = RepositoryHead(
        found,
        sums,
        gone.used,
        TagMutability.from_stored(found.tag_mutability, found.tag_filters),
    )
    return head, _rows(found, sums, listed(pk, page), streams, standing.get(found.uri, {})), page, pages


def image_keys(repository: int) -> QuerySet[Image, int]:
    """The keys of a repository's images, the newest first."""
    newest = Image.objects.filter(repository=repository, role__in=UNITS).order_by("-pushed_at", "-pk")
    return newest.values_list("pk", flat=True)


def listed(repository: int, page: int) -> list[Image]:
    """The images of a page, as far as it shows them. Which they are is found in an index: a row is much wider."""
    return shown(image_keys(repository)[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])


def shown(here: Sequence[int] | QuerySet[Image, int]) -> list[Image]:
    """The images of these keys, as far as lists show them, the newest first. One query."""
    found = Image.objects.filter(pk__in=here).select_related("base_release__stream").only(*SHOWN_COLUMNS)
    return list(found.order_by("-pushed_at", "-pk"))


def artifacts(pk: int) -> tuple[Artifact, ...]:
    """What the repository holds beside images: charts, and artifacts of images that are not there. Two queries."""
    owner = Image.objects.filter(repository=OuterRef("repository"), digest=OuterRef("part_of"), gone_at=None)
    found = Image.objects.filter(repository=pk, gone_at=None, role__in=(Role.PART, *ARTIFACTS)).exclude(Exists(owner))
    rows = list(
        found.only("digest", "role", "part_of", "artifact_type", "pushed_at").order_by("-pushed_at", "-pk")[
            :SHOWN_ARTIFACTS
        ]
    )
    tags = tags_of(pk, [row.digest for row in rows])
    return tuple(Artifact(row, tuple(tags[row.digest])) for row in rows)


def _rows(
    repository: Repository,
    sums: Sums,
    images: Sequence[Image],
    streams: Collection[int],
    standing: Mapping[str, int],
) -> tuple[ImageRow, ...]:
    digests = [image.digest for image in images]
    tags = tags_of(repository.pk, digests)
    belonging = _belonging(repository, digests) if sums.parts or sums.artifacts else {}
    parts = [part for several in belonging.values() for part in several]
    uses = uses_of([image.pk for image in (*images, *parts)])
    bases = base_streams(streams, digests) if streams else {}
    rows = []
    for image in images:
        own = belonging.get(image.digest, [])
        all_uses = merged([uses.get(each.pk, []) for each in (image, *own)])
        rules = [each.expiry_rule for each in (image, *own) if each.expiry_rule is not None]
        rows.append(
            ImageRow(
                image,
                tuple(tags[image.digest]),
                tuple(all_uses[:SHOWN_USES]),
                max(0, len(all_uses) - SHOWN_USES),
                bases.get(image.digest),
                standing.get(image.digest, 0),
                _belongings(own),
                min(rules, default=None) if image.gone_at is None else None,
                any(use.live for use in all_uses),
            )
        )
    return tuple(rows)


def tags_of(repository: int, digests: Sequence[str]) -> dict[str, list[str]]:
    """By digest its tags. One query."""
    found: dict[str, list[str]] = defaultdict(list)
    named = Tag.objects.filter(repository=repository, digest__in=digests).order_by("name")
    for digest, name in named.values_list("digest", "name"):
        found[digest].append(name)
    return found


def _belonging(repository: Repository, digests: Sequence[str]) -> dict[str, list[Image]]:
    """By image what belongs to it; the signature of a part is its index's, too. Two queries."""
    there = Image.objects.filter(repository=repository, gone_at=None, role__in=(Role.PART, *ARTIFACTS))
    there = there.only("digest", "role", "part_of", "expiry_rule", "repository_id")
    found: dict[str, list[Image]] = defaultdict(list)
    owner: dict[str, str] = {}
    for part in there.filter(part_of__in=digests).order_by("pk"):
        found[part.part_of].append(part)
        owner[part.digest] = part.part_of
    for artifact in there.filter(part_of__in=list(owner)).order_by("pk") if owner else ():
        if artifact.digest not in owner:
            found[owner[artifact.part_of]].append(artifact)
    return found


_WORDS: Mapping[str, tuple[str, str]] = {
    Role.PART: ("image", "images"),
    Role.ATTESTATION: ("attestation", "attestations"),
    Role.SIGNATURE: ("signature", "signatures"),
    Role.SBOM: ("SBOM", "SBOMs"),
    Role.CHART: ("chart", "charts"),
    Role.REPORT: ("report", "reports"),
    Role.REFERRERS: ("list of referrers", "lists of referrers"),
    Role.ARTIFACT: ("artifact", "artifacts"),
}


def _belongings(parts: Sequence[Image]) -> str:
    counts = Counter(part.role for part in parts)
    return ", ".join(counted(counts[role], one, several) for role, (one, several) in _WORDS.items() if counts[role])
