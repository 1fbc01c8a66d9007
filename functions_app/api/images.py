"""`/repositories` and `/images`: what ECR holds, and what an image stands on."""

from datetime import datetime
from typing import Annotated, Any

from django.urls import reverse
from ninja import Field, Query, QueryEx, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Page, Told, cursor_of, link, page_of
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account, Image
from functions_app.services.inventory.images.image import image_facts, image_row
from functions_app.services.inventory.images.image_list import ListedImage, image_list
from functions_app.services.inventory.images.repositories import repositories
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import accounts_within

router = Router(tags=["images"])
_REPOSITORY = ("name", "account", "region", "in_use", "endangered", "read_at")
_IMAGE = ("digest", "size_bytes", "pushed_at", "freshness", "freshness_reason")
Cursor = Annotated[str, QueryEx(max_length=200)]


class Filters(Schema):
    """Which repositories: words of their address, or of their account's name."""

    search: str = Field("", max_length=200)
    cursor: str = Field("", max_length=200)


class RepositoryLine(Schema):
    """A repository in the list."""

    id: int
    name: str
    account: str
    region: str
    images: int
    in_use: int | None
    endangered: int
    gone: bool
    read_at: datetime | None


class RepositoryPage(Page):
    """A page of repositories."""

    repositories: list[RepositoryLine]


class ImageLine(Schema):
    """An image of a repository."""

    id: int
    digest: str
    tags: list[str]
    freshness: str
    base: str
    releases_behind: int
    pushed_at: datetime | None
    live: bool
    functions: int
    gone: bool


class ImagePage(Page):
    """A page of a repository's images, the newest first."""

    images: list[ImageLine]


class LevelLine(Schema):
    """A base beneath an image, the nearest first."""

    stream: str
    release: str
    freshness: str
    reason: str


class ImageAnswer(Told):
    """All that is known of one image."""

    id: int
    digest: str
    repository: str
    tags: list[str]
    platform: str
    size_bytes: int
    pushed_at: datetime | None
    freshness: str
    freshness_reason: str
    bases: list[LevelLine]
    gone: bool


@router.get("/repositories", response=RepositoryPage)
def list_repositories(request: ApiRequest, filters: Query[Filters]) -> dict[str, Any]:
    """The repositories that Drydock reads."""
    asked = filters.dict(exclude={"cursor"})
    rows, total, number, pages = repositories(
        filters.search, page_of(filters.cursor, asked), accounts_within(request.actor.reach), brief=True
    )
    return {
        "text": f"{total} {'repository' if total == 1 else 'repositories'}.",
        "url": link(request, reverse("repositories")),
        "total": total,
        "as_of": min((row.read_at for row in rows if row.read_at), default=None),
        "next": cursor_of(number + 1, asked) if number < pages else None,
        "repositories": [
            {
                "id": row.pk,
                "images": row.sums.images,
                "gone": row.gone_at is not None,
                **{name: getattr(row, name) for name in _REPOSITORY},
            }
            for row in rows
        ],
    }


@router.get("/repositories/{int:pk}/images", response=ImagePage)
def list_images(request: ApiRequest, pk: int, cursor: Cursor = "") -> dict[str, Any]:
    """The images of a repository, the newest first."""
    asked = {"repository": pk}
    found = image_list(pk, page_of(cursor, asked))
    _require_account(request.actor, found.repository.account)
    return {
        "text": f"{found.repository.name}: {found.total} images.",
        "url": link(request, reverse("repository", args=[pk])),
        "total": found.total,
        "as_of": found.repository.images_synced_at,
        "next": cursor_of(found.page + 1, asked) if found.page < found.pages else None,
        "images": [_line(row) for row in found.rows],
    }


def _line(row: ListedImage) -> dict[str, Any]:
    image = row.image
    return {
        "id": image.pk,
        "digest": image.digest,
        "tags": list(row.tags),
        "freshness": image.freshness,
        "base": image.base_release.stream.name if image.base_release else "",
        "releases_behind": image.releases_behind,
        "pushed_at": image.pushed_at,
        "live": row.live,
        "functions": row.functions,
        "gone": image.gone_at is not None,
    }


@router.get("/images/{int:pk}", response=ImageAnswer)
def get_image(request: ApiRequest, pk: int) -> dict[str, Any]:
    """One image: its tags, its platform, the bases beneath it, and how fresh it is."""
    image = image_row(pk)
    _require_account(request.actor, image.repository.account)
    found = image_facts(image)
    return {
        "text": f"{image.repository.name}@{image.digest[7:19]}: {image.freshness}. {image.freshness_reason}",
        "url": link(request, reverse("image", args=[pk])),
        "id": pk,
        "repository": image.repository.uri,
        "tags": list(found.tags),
        "platform": _platform(image),
        "bases": [
            {
                "stream": str(level.get("stream", "")),
                "release": str(level.get("label", "")),
                "freshness": str(level.get("freshness", "")),
                "reason": str(level.get("reason", "")),
            }
            for level in image.base_lineage
        ],
        "gone": image.gone_at is not None,
        **{name: getattr(image, name) for name in _IMAGE},
    }


def _platform(image: Image) -> str:
    return "/".join(part for part in (image.os, image.architecture, image.variant) if part)


def _require_account(actor: Actor, account: Account) -> None:
    """Raise NOT_FOUND for what is of an account that the token does not get to."""
    if not actor.reach.covers_account(account.account_id):
        raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
