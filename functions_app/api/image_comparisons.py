"""`/images/ID/comparison`: what changes from one image to another, in any two repositories."""

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, Query, Router, Schema

from functions_app.api.comparisons import Differing, counts_of, differing
from functions_app.api.image_files import why_of_layer
from functions_app.api.images import require_account
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import link
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Image
from functions_app.services.inventory.images.choices import typed
from functions_app.services.inventory.images.compare import ImageComparison, Side, compare_images
from functions_app.services.inventory.images.differences import Differences
from functions_app.services.inventory.images.image import image_row
from functions_app.services.inventory.images.scan_pair import ScanPair
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import accounts_within

router = Router(tags=["images"])
# What is told where nothing is compared.
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("layers", "config", "steps", "notes"), ()), "packages": None, "files": None, "unread": 0,
    "problem": "", "reading": None,
}  # fmt: skip


class ImageFilters(Schema):
    """The other image, by its id or by what names it; and which files, by a part of their paths."""

    to: int | None = Field(None, ge=1, lt=10**18, description="id of the image to compare with")
    find: str = Field("", max_length=400, description="its digest or 6 digits of it, a tag, or a reference")
    path: str = Field("", max_length=200)


class ImageName(Schema):
    """One of the two images; `base`: the release that it stands on."""

    id: int
    digest: str
    repository: str
    tags: list[str]
    platform: str
    size_bytes: int
    base: str
    gone: bool


class RemarkLine(Schema):
    """What is worth knowing before; where it `stops`, nothing is compared."""

    text: str
    next_step: str
    stops: bool


class SeverityMove(Schema):
    """How many findings of a severity the two scans brought."""

    severity: str
    before: int
    after: int


class FindingMoves(Schema):
    """The states of both scans; `rows` where both tell findings, and by name what only the second or the first has."""

    before: str
    after: str
    rows: list[SeverityMove]
    came: list[str]
    went: list[str]


class ImageComparisonAnswer(Differing):
    """What differs between two images; of variables the names alone are known."""

    before: ImageName
    after: ImageName
    remarks: list[RemarkLine]
    shared_layers: int = Field(description="layers from the bottom up that are the same, byte for byte")
    bases: str = Field(description="how far apart their bases are")
    findings: FindingMoves | None


@router.get("/images/{int:pk}/comparison", response=ImageComparisonAnswer)
def get_image_comparison(request: ApiRequest, pk: int, filters: Query[ImageFilters]) -> dict[str, Any]:
    """Config, layers, base, packages, files and findings of one image against another's."""
    old = image_row(pk)
    require_account(request.actor, old.repository.account)
    found = compare_images(old, _other(request, old, filters), filters.path.strip())
    require_account(request.actor, found.new.image.repository.account)
    told = found.differences
    return {
        "text": _of_images(found),
        "url": link(request, f"{reverse('image-compare', args=[pk])}?{urlencode({'to': found.new.image.pk})}"),
        "before": _image(found.old),
        "after": _image(found.new),
        "remarks": [{name: getattr(row, name) for name in RemarkLine.model_fields} for row in found.remarks],
        "shared_layers": told.shared if told else 0,
        "bases": found.apart,
        "findings": _findings(found.scans) if found.scans else None,
        **(_differing(told, request.actor) if told else NOTHING),
    }


def _differing(found: Differences, actor: Actor) -> dict[str, Any]:
    told = differing(found)
    return {
        **told,
        "problem": why_of_layer(told["problem"], actor),
        "reading": told["reading"] if actor.reach.everything else None,  # others can't follow that run
    }


def _other(request: ApiRequest, image: Image, filters: ImageFilters) -> int:
    """The id of the other image. Raises INVALID, NOT_FOUND, and AMBIGUOUS with those that are called so."""
    if filters.to is not None:
        return filters.to
    if not filters.find.strip():
        raise DrydockError(Code.INVALID, "Name the other image.", next_step="Give its id as to, or its digest as find.")
    named = typed(image, filters.find.strip(), accounts_within(request.actor.reach, "repository__"))
    if not named:
        raise DrydockError(
            Code.NOT_FOUND,
            f"Drydock knows no image called {filters.find}.",
            next_step="Give its whole digest, or sync.",
        )
    if len(named) > 1:
        raise DrydockError(
            Code.AMBIGUOUS,
            f"{counted(len(named), 'image')} are called {filters.find}.",
            next_step=f"Give one's id as to: {', '.join(str(one.pk) for one in named[:5])}.",
        )
    return named[0].pk


def _of_images(compared: ImageComparison) -> str:
    if compared.differences is None:
        return compared.remarks[0].text
    return f"{compared.old.name} to {compared.new.name}: {counts_of(compared.differences)}"


def _image(side: Side) -> dict[str, Any]:
    image = side.image
    return {
        "id": image.pk,
        "digest": image.digest,
        "repository": image.repository.uri,
        "tags": list(side.tags),
        "platform": side.platform,
        "size_bytes": image.size_bytes,
        "base": side.level.label or side.level.stream if side.level else "",
        "gone": image.gone_at is not None,
    }


def _findings(pair: ScanPair) -> dict[str, Any]:
    return {
        "before": pair.before.value,
        "after": pair.after.value,
        "rows": [{name: getattr(row, name) for name in SeverityMove.model_fields} for row in pair.rows],
        "came": [finding.name for finding in pair.came],
        "went": [finding.name for finding in pair.went],
    }
