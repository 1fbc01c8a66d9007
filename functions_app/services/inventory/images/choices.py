"""The images that one is likely to be compared with: what is live, the one before it, the newest; or what was typed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from functions_app.domain.images.roles import DEPLOYABLE, Role
from functions_app.domain.text import counted
from functions_app.models import Image
from functions_app.services.inventory.images.repository import tags_of
from functions_app.services.inventory.images.search import FoundImage, find_images
from functions_app.services.snapshot.live_versions import live_versions

LIVE = 5  # live images offered, those that most functions run


@dataclass(frozen=True)
class Choice:
    """An image to compare with, and why it is offered."""

    pk: int
    digest: str
    tags: tuple[str, ...]
    why: tuple[str, ...]


def choices_of(image: Image) -> tuple[Choice, ...]:
    """The images of the same repository that matter most beside this one. Four queries."""
    why: dict[int, list[str]] = {}
    digests: dict[int, str] = {}
    for pk, digest, word in _offered(image):
        digests[pk] = digest
        why.setdefault(pk, []).append(word)
    tags = tags_of(image.repository_id, [*digests.values()])
    return tuple(Choice(pk, digest, tuple(tags[digest]), tuple(why[pk])) for pk, digest in digests.items())


def _offered(image: Image) -> Iterator[tuple[int, str, str]]:
    live = live_versions().filter(image__repository=image.repository_id, function__gone_at=None)
    others = live.exclude(image=image.pk).order_by().values_list("image_id", "image__digest")
    users = others.annotate(functions=Count("function", distinct=True)).order_by("-functions", "image_id")
    for pk, digest, functions in users[:LIVE]:
        yield pk, digest, f"live in {counted(functions, 'function')}"
    if image.pushed_at:
        yield from _first(_alike(image).filter(pushed_at__lt=image.pushed_at), "pushed before it")
    yield from _first(_alike(image), "newest of the repository")


def _alike(image: Image) -> QuerySet[Image]:
    """The others of its repository, the newest first; those of its platform, where that is known."""
    others = Image.objects.filter(
        repository=image.repository_id, gone_at=None, role__in=(*DEPLOYABLE, Role.PART), pushed_at__isnull=False
    ).exclude(pk=image.pk)
    alike = others.filter(os=image.os, architecture=image.architecture) if image.architecture else others
    return alike.order_by("-pushed_at", "-pk")


def _first(images: QuerySet[Image], word: str) -> Iterable[tuple[int, str, str]]:
    return [(pk, digest, word) for pk, digest in images.values_list("pk", "digest")[:1]]


def typed(image: Image, text: str, within: Q | None = None) -> tuple[FoundImage, ...]:
    """The images that a digest, its beginning, a tag or a reference names: of the image's own repository, where it has
    any; `within` as in `find_images`.
    """
    own = (within or Q()) & Q(repository=image.repository_id)
    return find_images(text, own) or find_images(text, within)
