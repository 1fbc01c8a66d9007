"""`/images`: an image by what one has at hand; who uses one; what a repository holds beside images."""

from typing import Annotated, Any

from django.urls import reverse
from django.utils.http import urlencode
from ninja import Query, QueryEx, Router, Schema

from functions_app.api.images import ArtifactLine, artifact_line, require_account
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Listed, Page, Paged, Told, link, page_of, paged
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Repository
from functions_app.services.inventory.images.image import image_row
from functions_app.services.inventory.images.repository import artifacts
from functions_app.services.inventory.images.search import FOUND, FoundImage, find_images
from functions_app.services.inventory.images.users import User, users_of
from functions_app.services.inventory.tables.images import image_user_table
from functions_app.services.people.reach import accounts_within
from functions_app.streams.table_download import table_answer

router = Router(tags=["images"])


class FoundLine(Schema):
    """An image that a search found."""

    id: int
    digest: str
    repository: str
    account: str
    tags: list[str]
    gone: bool


class FoundImages(Told):
    """Images that were found, the newest first."""

    images: list[FoundLine]


class ImageUser(Schema):
    """A function with the versions that run an image, and the aliases that lead to one of those with their shares.

    `elsewhere` is the repository that it is deployed from, where that is another.
    """

    function_id: int
    function: str
    account: str
    region: str
    architecture: str
    versions: list[str]
    aliases: list[str]
    elsewhere: str


class ImageUsers(Page):
    """A page of functions that use an image, those with an alias on it first."""

    users: list[ImageUser]


class LooseArtifact(ArtifactLine):
    """Something in a repository that is no image, and of no image that is there."""

    part_of: str
    tags: list[str]


class Artifacts(Told):
    """What a repository holds beside images, the newest first, at most 50."""

    artifacts: list[LooseArtifact]


@router.get("/images", response=FoundImages)
def search_images(
    request: ApiRequest,
    search: Annotated[str, QueryEx(min_length=1, max_length=200, description="how its digest begins, or a tag of it")],
) -> dict[str, Any]:
    """Images by the beginning of their digest, six digits at least, or by a tag: the newest 20."""
    found = find_images(search, accounts_within(request.actor.reach, "repository__"))
    most = f", the newest {FOUND}" if len(found) == FOUND else ""
    return {
        "text": f"{counted(len(found), 'image')} of “{search}”{most}.",
        "url": link(request, f"{reverse('functions')}?{urlencode({'search': search})}"),
        "images": [found_image(row) for row in found],
    }


def found_image(row: FoundImage) -> dict[str, Any]:
    """An image that a search found."""
    same = {name: getattr(row, name) for name in ("digest", "account", "gone")}
    return {"id": row.pk, "repository": row.uri, "tags": list(row.tags), **same}


@router.get("/images/{int:pk}/users", response=ImageUsers)
def list_image_users(request: ApiRequest, pk: int, filters: Query[Paged]) -> Listed:
    """Who uses an image, in every account and from every repository that holds its digest."""
    image, asked = image_row(pk), {"image": pk}
    require_account(request.actor, image.repository.account)
    if filters.format:
        return table_answer(request, image_user_table(image, request.actor.reach))
    found = users_of(image, page_of(filters.cursor, asked), request.actor.reach)
    address, at = reverse("image", args=[pk]), (found.page, found.pages)
    as_of = image.repository.images_synced_at
    told = paged(request, address, found.counted, asked, total=found.functions, at=at, as_of=as_of)
    return {**told, "users": [_user(row) for row in found.shown]}


def _user(row: User) -> dict[str, Any]:
    same = ("function_id", "account", "region", "architecture", "versions", "aliases", "elsewhere")
    return {"function": row.name, **{name: getattr(row, name) for name in same}}


@router.get("/repositories/{int:pk}/artifacts", response=Artifacts)
def get_artifacts(request: ApiRequest, pk: int) -> dict[str, Any]:
    """What a repository holds beside images: charts, and signatures or reports of images that are not there."""
    row = Repository.objects.select_related("account").filter(pk=pk).first()
    if row is None:
        raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
    require_account(request.actor, row.account)
    found = artifacts(pk)
    return {
        "text": f"{row.name} holds {counted(len(found), 'artifact')} of no image that is there.",
        "url": link(request, reverse("repository", args=[pk])),
        "artifacts": [
            {**artifact_line(each.image), "part_of": each.image.part_of, "tags": list(each.tags)} for each in found
        ],
    }
