"""The page of one image: what it is, who uses it, where it is, its tags, its scan."""

from dataclasses import dataclass

from django.db.models import QuerySet

from functions_app.domain.images.roles import ARTIFACTS, UNITS, Role
from functions_app.domain.images.statuses import ImageStatus, read_status
from functions_app.domain.runs import ACTIVE
from functions_app.domain.tokens import EVERYWHERE, Reach
from functions_app.models import BaseStream, Image, Run
from functions_app.services.inventory.images.image import ImageFacts, image_facts, image_row
from functions_app.services.inventory.images.image_use import base_streams
from functions_app.services.inventory.images.scan import ScanFacts, scan_facts
from functions_app.services.inventory.images.tags import TagSpan, tag_history
from functions_app.services.inventory.images.users import Part, Twin, Users, parts_of, twins_of, users_of


@dataclass(frozen=True)
class ImagePage:
    """All that the page shows; `reading` is the run that reads the image's files now."""

    image: Image
    facts: ImageFacts
    users: Users
    twins: tuple[Twin, ...]
    parts: tuple[Part, ...]
    history: tuple[TagSpan, ...]
    scan: ScanFacts
    reading: Run | None
    release_of: BaseStream | None  # a base image: others stand on it
    belongs_to: Image | None  # the index it is in, or the image that the artifact is about, where that is there
    belongings: tuple[Image, ...]  # artifacts about it

    @property
    def pull_words(self) -> ImageStatus | None:
        """What ECR's status of it means, where it keeps the image from being pulled, or nobody knows."""
        status = read_status(self.image.status)
        return status if self.image.status and status.pullable is not True else None

    @property
    def is_image(self) -> bool:
        """Whether it is one image, which has a base, a config and layers."""
        return not self.image.is_index and not self.is_artifact

    @property
    def is_artifact(self) -> bool:
        """Whether it is something else than an image, an index or a part of one."""
        return self.image.role not in (*UNITS, Role.PART)


def image_page(pk: int, users_page: int = 1, reach: Reach = EVERYWHERE) -> ImagePage:
    """Read the page; of functions and other repositories what is within somebody's reach.

    Fifteen queries, and up to three more the first time that an image's files are looked at.

    Raises NOT_FOUND.
    """
    image = image_row(pk)
    users = users_of(image, users_page, reach)
    # Functions of both architectures: one of them is wrong, and the image alone can't say which.
    only = next(iter(users.architectures)) if len(users.architectures) == 1 else ""
    facts = image_facts(image, architecture=only)
    streams = BaseStream.objects.filter(reference__startswith=f"{image.repository.uri}:").order_by()
    return ImagePage(
        image=image,
        facts=facts,
        users=users,
        twins=twins_of(image, reach),
        parts=parts_of(image) if image.is_index else (),
        history=tag_history(image),
        scan=scan_facts(facts),
        reading=Run.objects.filter(lock=f"read_files:image:{pk}", status__in=ACTIVE).first(),
        release_of=base_streams(streams, [image.digest]).get(image.digest),
        belongs_to=_named(image, image.part_of),
        belongings=tuple(_artifacts(image)),
    )


def _named(image: Image, digest: str) -> Image | None:
    if not digest:
        return None
    same = Image.objects.filter(repository=image.repository_id, digest=digest, gone_at=None)
    return same.only("digest", "role", "is_index").first()


def _artifacts(image: Image) -> QuerySet[Image]:
    found = Image.objects.filter(repository=image.repository_id, part_of=image.digest, gone_at=None, role__in=ARTIFACTS)
    return found.only("digest", "role", "artifact_type").order_by("role", "pk")[:50]
