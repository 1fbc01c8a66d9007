"""What changes from one image to another: config, layers, base, packages, files, findings. Nothing is fetched here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions_app.domain.bases.distances import Stand, apart
from functions_app.domain.errors import Problem
from functions_app.domain.images.comparing import Compared, Remark, remarks
from functions_app.models import BaseRelease, Image
from functions_app.services.inventory.images.differences import Differences, Stack, differences, start_of
from functions_app.services.inventory.images.image import image_row
from functions_app.services.inventory.images.levels import LevelRow, levels_of
from functions_app.services.inventory.images.repository import tags_of
from functions_app.services.inventory.images.scan_pair import ScanPair, scan_pair
from functions_app.services.inventory.images.users import Part, parts_of

SET = "set"  # of a variable: its value is kept nowhere


@dataclass(frozen=True)
class Side:
    """One of the two, with its tags, the nearest base beneath it, and of an index what it holds."""

    image: Image
    name: str
    platform: str
    tags: tuple[str, ...]
    level: LevelRow | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ImageComparison:
    """Two images and what differs; `differences` and `scans` are None where a remark says why nothing is compared.

    `apart`: how far apart their bases are, in words. `base_moved`: the stream whose two releases can be compared.
    """

    old: Side
    new: Side
    remarks: tuple[Remark, ...]
    apart: str
    base_moved: int | None
    differences: Differences | None
    scans: ScanPair | None

    @property
    def unread(self) -> tuple[Side, ...]:
        """Those of which not every layer was read."""
        missing = self.differences.unread if self.differences else frozenset()
        return tuple(side for side in (self.old, self.new) if missing.intersection(side.image.diff_ids))


def compare_images(old: Image, new_id: int, search: str = "") -> ImageComparison:
    """Compare an image (image_row) with another; `search` narrows the files. Thirteen queries at most.

    Raises NOT_FOUND.
    """
    new = image_row(new_id)
    first, second = _side(old), _side(new)
    found = remarks(_compared(first), _compared(second))
    if any(remark.stops for remark in found):
        return ImageComparison(first, second, found, "", None, None, None)
    words, moved = _bases(first, second)
    changed = differences(_stack(old), _stack(new), search)
    return ImageComparison(first, second, found, words, moved, changed, scan_pair(old, new))


def _side(image: Image) -> Side:
    """What is shown of it beside the differences. Three queries."""
    platform = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
    return Side(
        image=image,
        name=f"{image.repository.name}@{image.digest.removeprefix('sha256:')[:12]}",
        platform=platform,
        tags=tuple(tags_of(image.repository_id, [image.digest])[image.digest]),
        level=next(iter(levels_of(image)), None),
        parts=parts_of(image) if image.is_index else (),
    )


def _compared(side: Side) -> Compared:
    image = side.image
    return Compared(
        pk=image.pk,
        name=side.name,
        digest=image.digest,
        platform=side.platform,
        role=image.role,
        is_index=image.is_index,
        read=image.inspected_at is not None,
        gone=image.gone_at is not None,
        problem=Problem.from_json(image.inspect_problem) if image.inspect_problem else None,
    )


def _stack(image: Image) -> Stack:
    settings: Mapping[str, Any] = image.settings
    whole = len(image.layers) == len(image.diff_ids)
    return Stack(
        diff_ids=tuple(image.diff_ids),
        sizes=tuple(int(layer["size"]) for layer in image.layers) if whole else (),
        facts=(
            start_of(settings),
            {f"ENV {name}": SET for name in settings.get("env_keys") or ()},
            {f"Label {name}": str(value) for name, value in image.labels.items()},
        ),
        steps=tuple(str(step.get("created_by", "")) for step in image.history),
    )


def _bases(old: Side, new: Side) -> tuple[str, int | None]:
    """How far apart their bases are; and the stream, where they stand on two releases of one. Two queries."""
    keys = [side.level.release_id for side in (old, new) if side.level and side.level.release_id]
    releases = BaseRelease.objects.defer("config", "layers", "diff_ids").in_bulk(keys)
    first, second = (_stand(side, releases) for side in (old, new))
    if not (first and second and first.at and second.at and first.stream == second.stream) or len(releases) < 2:
        return apart(first, second, 0), None
    one, other = (releases[key] for key in keys)
    between = BaseRelease.objects.filter(stream=other.stream_id, platform=other.platform)
    since, until = sorted((first.at, second.at))
    count = between.filter(created_at__gt=since, created_at__lte=until).count()
    return apart(first, second, count), other.stream_id if one.stream_id == other.stream_id else None


def _stand(side: Side, releases: Mapping[int, BaseRelease]) -> Stand | None:
    level, stream = side.level, side.image.base_stream
    if level is None:
        return Stand(stream.name, None) if stream else None
    release = releases.get(level.release_id or 0)
    return Stand(level.stream, release.pk if release else None, release.created_at if release else None)
