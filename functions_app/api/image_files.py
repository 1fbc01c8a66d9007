"""What an image holds: `/images/ID/files`, its reading, and ECR's scan of it."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.images import require_account
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Format, Listed, Told, link
from functions_app.domain.text import counted
from functions_app.models import Image
from functions_app.services.images import files, scans
from functions_app.services.inventory.images.image import image_facts, image_row
from functions_app.services.inventory.images.scan import scan_facts
from functions_app.services.inventory.tables.images import finding_table
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.streams.table_download import table_answer

router = Router(tags=["images"])
WHY_UNTOLD = "It could not be read. Why names where it was read, which may be beyond what this token gets to."


class LayerLine(Schema):
    """A layer from the bottom up; `owner` is the base that it belongs to, `files` null where nobody read them."""

    digest: str
    owner: str
    created_by: str
    size_bytes: int
    files: int | None
    unpacked_bytes: int | None
    problem: str


class PackageLine(Schema):
    """A package that the app's own layers bring; `instead_of` is the base's version where that differs."""

    kind: str
    name: str
    version: str
    instead_of: str


class FilesAnswer(Told):
    """What the layers of an image hold, as far as they were read; `unread` are those that nobody read yet."""

    layers: list[LayerLine]
    unread: int
    total_bytes: int | None
    own_bytes: int | None
    packages: list[PackageLine]
    package_count: int


class SeverityLine(Schema):
    """How many findings of one severity there are, and in which part of the image."""

    severity: str
    total: int
    base: int
    app: int
    unknown: int


class ScanFinding(Schema):
    """A finding, and whether it is the base's or the app's."""

    name: str
    severity: str
    title: str
    uri: str
    side: str
    packages: list[str]


class ScanAnswer(Told):
    """What ECR's scan says; `state` tells the ways not to have findings apart."""

    state: str
    status: str
    read_at: datetime | None
    severities: list[SeverityLine]
    findings: list[ScanFinding]
    left_out: int


@router.get("/images/{int:pk}/files", response=FilesAnswer)
def get_image_files(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Layers, packages and sizes of an image, as far as its files were read."""
    found = image_facts(_reached(request, pk))
    contents = found.contents
    return {
        "text": f"{counted(len(found.layers), 'layer')}, {contents.unread} of them not read; "
        f"{counted(contents.package_count, 'package')}.",
        "url": link(request, reverse("image", args=[pk])),
        "unread": contents.unread,
        "total_bytes": contents.total_bytes,
        "own_bytes": contents.own_bytes,
        "package_count": contents.package_count,
        "packages": [
            {name: getattr(row, name) for name in PackageLine.model_fields} for row in contents.packages or ()
        ],
        "layers": [
            {
                "files": layer.read.files if layer.read else None,
                "unpacked_bytes": layer.read.size_bytes if layer.read else None,
                "problem": why_of_layer(layer.read.problem if layer.read else "", request.actor),
                **{name: getattr(layer, name) for name in ("digest", "owner", "created_by", "size_bytes")},
            }
            for layer in found.layers
        ],
    }


@router.post("/images/{int:pk}/file-reads", response={202: Started})
def read_image_files(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Read what the layers of an image hold; each layer once, ever."""
    image = _reached(request, pk)
    return followed(request, response, files.submit_for_image(image, request.actor))


@router.get("/images/{int:pk}/scan", response=ScanAnswer)
def get_scan(request: ApiRequest, pk: int, format: Format = "") -> Listed:
    """ECR's findings of an image, split into the base's and the app's; the worst first, at most 100; all as CSV."""
    image = _reached(request, pk)
    return table_answer(request, finding_table(image)) if format else _scan(request, image)


@router.post("/images/{int:pk}/scan-reads", response=ScanAnswer)
def read_scan(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Ask ECR about the scan of an image now; what it says."""
    image = _reached(request, pk)
    access.require_operator(request.actor, "scan.read", str(image))
    scans.read_one(image)
    return _scan(request, image)


def why_of_layer(problem: str, actor: Actor) -> str:
    """Why a layer could not be read, for who gets everywhere: it is one layer in every account and repository."""
    return problem if actor.reach.everything or not problem else WHY_UNTOLD


def _reached(request: ApiRequest, pk: int) -> Image:
    image = image_row(pk)
    require_account(request.actor, image.repository.account)
    return image


def _scan(request: ApiRequest, image: Image) -> dict[str, Any]:
    found = scan_facts(image_facts(image))
    return {
        "text": f"{image.repository.name}@{image.digest[7:19]}: {found.state}, {counted(found.total, 'finding')}.",
        "url": link(request, reverse("image", args=[image.pk])),
        "state": found.state.value,
        "status": found.status,
        "read_at": found.scan.read_at if found.scan else None,
        "left_out": found.left_out,
        "severities": [{name: getattr(row, name) for name in SeverityLine.model_fields} for row in found.severities],
        "findings": [
            {
                "side": placed.side.value,
                "packages": [f"{place.package} {place.version}".strip() for place in placed.finding.places],
                **{name: getattr(placed.finding, name) for name in ("name", "severity", "title", "uri")},
            }
            for placed in found.shown
        ],
    }
