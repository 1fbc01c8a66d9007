"""The page of one image: what it is, who uses it, where it is, its tags, its scan."""

from dataclasses import dataclass

from functions_app.domain.runs import ACTIVE
from functions_app.models import BaseStream, Image, Run
from functions_app.services.inventory.images.image import ImageFacts, image_facts, image_row
from functions_app.services.inventory.images.repositories import base_streams
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


def image_page(pk: int, users_page: int = 1) -> ImagePage:
    """Read the page. Thirteen queries, and up to three more the first time that an image's files are looked at.

    Raises NOT_FOUND.
    """
    image = image_row(pk)
    users = users_of(image, users_page)
    # Functions of both architectures: one of them is wrong, and the image alone can't say which.
    only = next(iter(users.architectures)) if len(users.architectures) == 1 else ""
    facts = image_facts(image, architecture=only)
    return ImagePage(
        image=image,
        facts=facts,
        users=users,
        twins=twins_of(image),
        parts=parts_of(image) if image.is_index else (),
        history=tag_history(image),
        scan=scan_facts(facts),
        reading=Run.objects.filter(lock=f"read_files:image:{pk}", status__in=ACTIVE).first(),
        release_of=base_streams(image.repository.uri, [image.digest]).get(image.digest),
    )
