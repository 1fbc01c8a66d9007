"""`/repositories` and `/images`: what ECR holds, and what an image stands on."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Cursor, Format, Listed, Page, Paged, Told, cursor_of, link, page_of
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account, Image
from functions_app.services.inventory.images.image import image_facts, image_row
from functions_app.services.inventory.images.image_list import ListedImage, image_list
from functions_app.services.inventory.images.repositories import RepositoryRow, repositories
from functions_app.services.inventory.tables.images import image_table, repository_table
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import accounts_within
from functions_app.streams.table_download import table_answer

router = Router(tags=["images"])
_REPOSITORY = ("name", "account", "region", "in_use", "endangered", "read_at")
_IMAGE = ("digest", "size_bytes", "pushed_at", "freshness", "freshness_reason")


class Filters(Paged):
    """Which repositories: words of their address, or of their account's name."""

    search: str = Field("", max_length=200)


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


class RepositoryAnswer(Told, RepositoryLine):
    """One repository."""


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
def list_repositories(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """The repositories that Drydock reads."""
    within, asked = accounts_within(request.actor.reach), filters.chosen()
    if filters.format:
        return table_answer(request, repository_table(filters.search, within))
    wanted = page_of(filters.cursor, asked)
    rows, total, number, pages = repositories(filters.search, wanted, within, brief=True)
    return {
        "text": f"{total} {'repository' if total == 1 else 'repositories'}.",
        "url": link(request, reverse("repositories")),
        "total": total,
        "as_of": min((row.read_at for row in rows if row.read_at), default=None),
        "next": cursor_of(number + 1, asked) if number < pages else None,
        "repositories": [_repository(row) for row in rows],
    }


def _repository(row: RepositoryRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "images": row.sums.images,
        "gone": row.gone_at is not None,
        **{name: getattr(row, name) for name in _REPOSITORY},
    }


@router.get("/repositories/{int:pk}", response=RepositoryAnswer)
def get_repository(request: ApiRequest, pk: int) -> dict[str, Any]:
    """One repository: how much it holds, and how much of that is in use or in danger."""
    rows, *_ = repositories(within=Q(pk=pk) & accounts_within(request.actor.reach))
    if not rows:
        raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
    row = rows[0]
    return {
        "text": f"{row.name}: {row.sums.images} images, {row.endangered} in danger.",
        "url": link(request, reverse("repository", args=[pk])),
        **_repository(row),
    }


@router.get("/repositories/{int:pk}/images", response=ImagePage)
def list_images(request: ApiRequest, pk: int, cursor: Cursor = "", format: Format = "") -> Listed:
    """The images of a repository, the newest first."""
    asked = {"repository": pk}
    found = image_list(pk, page_of(cursor, asked))
    require_account(request.actor, found.repository.account)
    if format:
        return table_answer(request, image_table(found.repository))
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
    require_account(request.actor, image.repository.account)
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


def require_account(actor: Actor, account: Account) -> None:
    """Raise NOT_FOUND for what is of an account that the token does not get to."""
    if not actor.reach.covers_account(account.account_id):
        raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
