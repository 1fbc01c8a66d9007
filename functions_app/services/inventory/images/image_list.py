"""The images of a repository as the API lists them: of what its page shows only what a line has, in five queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.roles import UNITS, Role
from functions_app.models import Image, Repository, Version
from functions_app.services.inventory.images.repository import PAGE_SIZE, listed, tags_of
from functions_app.services.snapshot.live_versions import live_versions


@dataclass(frozen=True)
class ListedImage:
    """An image, its tags, how many functions run it or a part of it, and whether calls reach one of those."""

    image: Image
    tags: tuple[str, ...]
    functions: int
    live: bool


@dataclass(frozen=True)
class ImageList:
    """A page of a repository's images, the newest first; `total` of those that ECR has."""

    repository: Repository
    rows: tuple[ListedImage, ...]
    total: int
    page: int
    pages: int


_UNITS = Image.objects.filter(repository=OuterRef("pk"), role__in=UNITS).order_by().values("repository")
_COUNTED = Coalesce(Subquery(_UNITS.annotate(count=Count("pk")).values("count")), Value(0))
_THERE = Coalesce(Subquery(_UNITS.filter(gone_at=None).annotate(count=Count("pk")).values("count")), Value(0))


def image_list(pk: int, page: int = 1) -> ImageList:
    """A page of a repository's images. Four queries, five where one is an index. Raises NOT_FOUND."""
    found = Repository.objects.select_related("account").annotate(counted=_COUNTED, there=_THERE).filter(pk=pk).first()
    if found is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such repository.", next_step="Look for it by name in Repositories."
        )
    pages = max(1, -(-found.counted // PAGE_SIZE))
    page = min(max(1, page), pages)
    return ImageList(found, image_rows(pk, listed(pk, page)), found.there, page, pages)


def image_rows(repository: int, images: Sequence[Image]) -> tuple[ListedImage, ...]:
    """Images of a repository with their tags and who runs them. Two queries, three where one is an index."""
    tags, runs = tags_of(repository, [image.digest for image in images]), _runs(repository, images)
    return tuple(
        ListedImage(image, tuple(tags[image.digest]), len(runs[image.digest]), any(runs[image.digest].values()))
        for image in images
    )


def _runs(repository: int, images: Sequence[Image]) -> Mapping[str, dict[int, bool]]:
    """By digest the functions that run it, and whether calls reach that. One query, two where one is an index."""
    owners = {image.pk: image.digest for image in images}
    if indexes := [image.digest for image in images if image.is_index]:
        parts = Image.objects.filter(repository=repository, gone_at=None, role=Role.PART, part_of__in=indexes)
        owners |= dict(parts.order_by().values_list("pk", "part_of"))
    versions = Version.objects.filter(image__in=owners, function__gone_at=None).order_by()
    rows = versions.values_list("image_id", "function_id", Exists(live_versions().filter(pk=OuterRef("pk"))))
    found: dict[str, dict[int, bool]] = defaultdict(dict)
    for image, function, live in rows:
        known = found[owners[image]]
        known[function] = live or known.get(function, False)
    return found
