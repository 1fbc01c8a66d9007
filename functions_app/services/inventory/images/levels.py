"""The bases beneath an image, the nearest first, and which of its layers belong to which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.bases.detection import Tier
from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.services.inventory.images.contents import LayerRead

STEP = 2000  # characters of a build step that are shown


@dataclass(frozen=True)
class LevelRow:
    """A base beneath an image. `layers` counts the image's layers up to and with it; 0: they are not proven.

    `own`: a base of the company, not one of Lambda's. `stream_id` None: a stream that is not known any more.
    """

    release_id: int | None
    stream_id: int | None
    stream: str
    label: str
    layers: int
    freshness: str
    reason: str
    releases_behind: int
    days_behind: int
    own: bool
    runtime: str

    @property
    def place(self) -> str:
        """Whose base it is and, where that is proven, which of the image's layers are its."""
        whose = "your own base" if self.own else "Lambda's base"
        return f"{whose}, layers 1 to {self.layers}" if self.layers else whose

    @property
    def query(self) -> str:
        """What leads to its release on the page of its stream."""
        return f"?release={self.release_id}" if self.release_id else ""


@dataclass(frozen=True)
class Layer:
    """A layer from the bottom up: compressed bytes, the build step that made it, its share of the whole.

    `owner` is the base that it belongs to as people write it, '' for the app's own; `own_base` one of the company.
    """

    number: int
    digest: str
    diff_id: str
    size_bytes: int
    media_type: str
    created_by: str
    owner: str
    own_base: bool
    share: float
    read: LayerRead | None = None  # what it holds, where that was read

    @property
    def from_base(self) -> bool:
        """Whether it belongs to any base."""
        return bool(self.owner)


def levels_of(image: Image) -> tuple[LevelRow, ...]:
    """The image's lineage, the nearest base first. One query, two where none was kept."""
    lineage: Sequence[Mapping[str, Any]] = image.base_lineage or _nearest(image)
    names = {str(level.get("stream", "")) for level in lineage}
    rows = BaseStream.objects.filter(name__in=names).values_list("name", "pk", "own", "runtime")
    streams = {name: (pk, own, runtime) for name, pk, own, runtime in rows}
    return tuple(_level(level, streams.get(str(level.get("stream", "")))) for level in lineage)


def _nearest(image: Image) -> list[dict[str, Any]]:
    """A lineage of one for an image that was judged before lineages were kept."""
    if image.base_release_id is None:
        return []
    release = BaseRelease.objects.select_related("stream").filter(pk=image.base_release_id).first()
    if release is None:
        return []
    label = f"{release.stream.name.partition(':')[0]}:{release.tag}" if release.tag else release.stream.name
    proven = image.base_tier == Tier.EXACT
    return [
        {
            "release_id": release.pk, "stream": release.stream.name, "label": label,
            "layers": len(release.diff_ids) if proven else 0, "freshness": image.freshness,
            "reason": image.freshness_reason, "releases_behind": image.releases_behind,
            "days_behind": image.days_behind,
        }
    ]  # fmt: skip


def _level(level: Mapping[str, Any], stream: tuple[int, bool, str] | None) -> LevelRow:
    pk, own, runtime = stream or (None, False, "")
    return LevelRow(
        release_id=level.get("release_id"),
        stream_id=pk,
        stream=str(level.get("stream", "")),
        label=str(level.get("label", "")),
        layers=int(level.get("layers") or 0),
        freshness=str(level.get("freshness") or "unknown"),
        reason=str(level.get("reason", "")),
        releases_behind=int(level.get("releases_behind") or 0),
        days_behind=int(level.get("days_behind") or 0),
        own=own,
        runtime=runtime,
    )


def layers_of(image: Image, levels: Sequence[LevelRow]) -> tuple[Layer, ...]:
    """The layers with their owners: of several bases that hold a layer, the lowest."""
    steps = [str(step.get("created_by", "")) for step in image.history if not step.get("empty_layer")]
    total = sum(int(layer["size"]) for layer in image.layers) or 1
    lowest_first = sorted((level for level in levels if level.layers), key=lambda level: level.layers)
    layers = []
    for at, layer in enumerate(image.layers):
        level = next((each for each in lowest_first if at < each.layers), None)
        layers.append(
            Layer(
                number=at + 1,
                digest=str(layer["digest"]),
                diff_id=str(image.diff_ids[at]) if at < len(image.diff_ids) else "",
                size_bytes=int(layer["size"]),
                media_type=str(layer.get("media_type", "")),
                created_by=steps[at][:STEP] if at < len(steps) else "",
                owner=level.label or level.stream if level else "",
                own_base=bool(level and level.own),
                share=int(layer["size"]) / total,
            )
        )
    return tuple(layers)
