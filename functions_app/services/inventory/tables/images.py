"""Repositories, the images of one, who uses an image, and what its scan found."""

from django.db.models import Q

from functions_app.domain.images.scans import Placed
from functions_app.domain.tokens import Reach
from functions_app.models import Image, Repository
from functions_app.services.inventory.images.image import image_facts
from functions_app.services.inventory.images.image_list import ListedImage, image_rows
from functions_app.services.inventory.images.repositories import read_rows, searched
from functions_app.services.inventory.images.repository import image_keys, shown
from functions_app.services.inventory.images.scan import every_finding
from functions_app.services.inventory.images.users import user_keys, users_among
from functions_app.services.inventory.tables.table import Row, Table, in_batches, values

_SUMS = ("images", "untagged", "size_bytes", "pushed_at")
REPOSITORIES = ("id", "name", "account", "region", *_SUMS, "in_use", "endangered", "gone", "read_at")
_IMAGE = ("digest", "freshness", "freshness_reason", "releases_behind", "days_behind", "size_bytes", "pushed_at")
_FINDING = ("name", "severity", "title", "uri")
FINDINGS = (*_FINDING, "side", "reason", "packages", "fixed_in", "paths")
_USER = ("region", "architecture", "versions", "aliases", "elsewhere")
USERS = ("function_id", "function", "account", *_USER)
IMAGES = ("id", *_IMAGE, "tags", "base", "functions", "live", "gone")


def repository_table(search: str, within: Q | None = None) -> Table:
    """All repositories of these words."""

    def read(keys: list[int]) -> list[Row]:
        rows = read_rows(searched("").filter(pk__in=keys))
        return [
            [
                *(row.pk, row.name, row.account, row.region),
                *values(row.sums, _SUMS),
                *(row.in_use, row.endangered, row.gone_at is not None, row.read_at),
            ]
            for row in rows
        ]

    return Table("repositories", REPOSITORIES, in_batches(searched(search, within).values_list("pk", flat=True), read))


def image_table(repository: Repository) -> Table:
    """All images of a repository, the newest first."""

    def row(found: ListedImage) -> Row:
        image = found.image
        base = image.base_release.stream.name if image.base_release else ""
        return [
            image.pk,
            *values(image, _IMAGE),
            *(found.tags, base, found.functions, found.live, image.gone_at is not None),
        ]

    return Table(
        f"images-{repository.pk}",
        IMAGES,
        in_batches(image_keys(repository.pk), lambda keys: [*map(row, image_rows(repository.pk, shown(keys)))]),
    )


def finding_table(image: Image) -> Table:
    """All findings that are kept of an image's scan, the worst first."""

    def row(found: Placed) -> Row:
        places = found.finding.places
        packages = [f"{place.package} {place.version}".strip() for place in places]
        fixed, paths = ([place.fixed_in for place in places], [place.path for place in places if place.path])
        return [*values(found.finding, _FINDING), found.side, found.reason, packages, fixed, paths]

    return Table(f"findings-{image.pk}", FINDINGS, [[row(found) for found in every_finding(image_facts(image))]])


def image_user_table(image: Image, reach: Reach) -> Table:
    """All functions within reach with versions that run an image, those with an alias on it first."""

    def read(keys: list[int]) -> list[Row]:
        users = users_among(image, keys)
        return [[user.function_id, user.name, user.account, *values(user, _USER)] for user in users]

    return Table(f"users-of-image-{image.pk}", USERS, in_batches(user_keys(image, reach), read))
