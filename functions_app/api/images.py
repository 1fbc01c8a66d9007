"""`/repositories` and `/images`: what ECR holds, and what an image stands on."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Cursor, Format, Listed, Page, Paged, Told, link, page_of, paged
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Account, Image
from functions_app.services.inventory.images.image_list import ListedImage, image_list
from functions_app.services.inventory.images.image_page import image_page
from functions_app.services.inventory.images.repositories import RepositoryRow, repositories
from functions_app.services.inventory.images.users import Twin
from functions_app.services.inventory.tables.images import image_table, repository_table
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import accounts_within
from functions_app.streams.table_download import table_answer

router = Router(tags=["images"])
_REPOSITORY = ("name", "account", "region", "in_use", "endangered", "read_at")
_IMAGE = ("digest", "size_bytes", "pushed_at", "freshness", "freshness_reason", "role")


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


class TagLine(Schema):
    """A tag that an image had: `came` null: before Drydock looked; `went` null: it still has it."""

    tag: str
    came: datetime | None
    went: datetime | None
    from_digest: str
    to_digest: str


class TwinLine(Schema):
    """The same digest in another repository, and how many versions run it from there."""

    id: int
    repository: str
    account: str
    region: str
    gone: bool
    versions: int


class PartOfIndex(Schema):
    """What an index holds for a platform; `image` null: Drydock does not know it."""

    digest: str
    platform: str
    image: int | None


class ArtifactLine(Schema):
    """What speaks of an image, or belongs to none that is there: a signature, an attestation, a chart."""

    id: int
    digest: str
    role: str
    artifact_type: str


class Uses(Schema):
    """How much runs an image, in all accounts that the token gets to."""

    functions: int
    versions: int
    aliases: int
    accounts: int


class ImageAnswer(Told):
    """All that is known of one image; `belongs_to`: the digest of what it is a part of, `release_of`: a base's name."""

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
    role: str
    pull_problem: str
    uses: Uses
    tag_history: list[TagLine]
    twins: list[TwinLine]
    parts: list[PartOfIndex]
    artifacts: list[ArtifactLine]
    belongs_to: str
    release_of: str


@router.get("/repositories", response=RepositoryPage)
def list_repositories(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """The repositories that Drydock reads."""
    within, asked = accounts_within(request.actor.reach), filters.chosen()
    if filters.format:
        return table_answer(request, repository_table(filters.search, within))
    wanted = page_of(filters.cursor, asked)
    rows, total, number, pages = repositories(filters.search, wanted, within, brief=True)
    text, as_of = (
        f"{counted(total, 'repository', 'repositories')}.",
        min((row.read_at for row in rows if row.read_at), default=None),
    )
    told = paged(request, reverse("repositories"), text, asked, total=total, at=(number, pages), as_of=as_of)
    return {**told, "repositories": [_repository(row) for row in rows]}


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
        "text": f"{row.name}: {counted(row.sums.images, 'image')}, {row.endangered} in danger.",
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
    text, as_of = f"{found.repository.name}: {counted(found.total, 'image')}.", found.repository.images_synced_at
    address, at = reverse("repository", args=[pk]), (found.page, found.pages)
    return {
        **paged(request, address, text, asked, total=found.total, at=at, as_of=as_of),
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
    """One image: its tags and platform, the bases beneath it and how fresh it is, who uses it, where else it is."""
    found = image_page(pk, reach=request.actor.reach)
    image = found.image
    require_account(request.actor, image.repository.account)
    return {
        "text": f"{image.repository.name}@{image.digest[7:19]}: {image.freshness}. {image.freshness_reason}",
        "url": link(request, reverse("image", args=[pk])),
        "id": pk,
        "repository": image.repository.uri,
        "tags": list(found.facts.tags),
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
        "pull_problem": f"It {found.pull_words.state}." if found.pull_words else "",
        "uses": {name: getattr(found.users, name) for name in Uses.model_fields},
        "tag_history": [{name: getattr(row, name) for name in TagLine.model_fields} for row in found.history],
        "twins": [_twin(row) for row in found.twins],
        "parts": [{"digest": row.digest, "platform": row.platform, "image": row.image_id} for row in found.parts],
        "artifacts": [artifact_line(row) for row in found.belongings],
        "belongs_to": found.belongs_to.digest if found.belongs_to else "",
        "release_of": found.release_of.name if found.release_of else "",
        **{name: getattr(image, name) for name in _IMAGE},
    }


def _twin(row: Twin) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in ("account", "region", "gone", "versions")}
    return {**own, "id": row.pk, "repository": row.uri}


def artifact_line(image: Image) -> dict[str, Any]:
    """What is no image, flat."""
    return {"id": image.pk, **{name: getattr(image, name) for name in ("digest", "role", "artifact_type")}}


def _platform(image: Image) -> str:
    return "/".join(part for part in (image.os, image.architecture, image.variant) if part)


def require_account(actor: Actor, account: Account) -> None:
    """Raise NOT_FOUND for what is of an account that the token does not get to."""
    if not actor.reach.covers_account(account.account_id):
        raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
