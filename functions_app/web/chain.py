"""The chain, drawn: alias, version, image, base release, newest release; a lane for each way calls take."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from functions_app.domain.freshness import Freshness
from functions_app.models import BaseRelease
from functions_app.services.inventory import Lane, VersionRow
from functions_app.web import parts

LEVEL = {
    Freshness.CURRENT: "good",
    Freshness.STALE: "warn",
    Freshness.END_OF_LIFE: "bad",
    Freshness.UNKNOWN: "",
}


@dataclass(frozen=True)
class Stop:
    """A box of a lane, and the arrow that leads to it: its level, its word, and whether it is dotted (drift)."""

    kind: str
    body: SafeString
    note: str = ""
    level: str = ""
    hop: str = ""
    word: str = ""
    drift: bool = False


def lanes(rows: Sequence[Lane]) -> list[list[Stop]]:
    """All lanes, each a list of stops from left to right."""
    return [_lane(lane) for lane in rows]


def percent(weight: float) -> str:
    """A share of calls: "90 %"."""
    return f"{weight * 100:.3g} %"


def _lane(lane: Lane) -> list[Stop]:
    stops = [Stop("Alias", _bold(lane.alias), "all calls" if lane.weight == 1 else "split")] if lane.alias else []
    if lane.row is None:
        missing = Stop("Version", _bold(lane.number), "not there any more", "bad", "bad", "broken")
        return [*stops, missing]
    hop = percent(lane.weight) if lane.alias and lane.weight < 1 else ""
    stops.append(Stop("Version", _bold(lane.number), word=hop))
    return [*stops, _image(lane.row), *_base(lane.row)]


def _bold(text: str) -> SafeString:
    return mark_safe(f"<b>{escape(text)}</b>")  # noqa: S308


def _image(row: VersionRow) -> Stop:
    chips = parts.digest(row.version.digest) + parts.tags(row.tags, shown=2)
    note, level, hop, word = "", "", "", ""
    if row.drifted and row.deployed_tag:
        hop, word = "warn", "tag moved"
        note = f"{row.deployed_tag.name} is {parts.short(row.deployed_tag.digest)} now"
    if row.image is None:
        note, level, word = note or "in no repository Drydock reads", "unknown", word or "unknown"
    elif row.image.gone_at:
        note, level, hop, word = "deleted from ECR", "bad", "bad", "broken"
    return Stop("Image", chips, note, level, hop, word, row.drifted)


def _base(row: VersionRow) -> list[Stop]:
    image = row.image
    if image is None:
        return []
    if image.base_release is None:
        return [Stop("Base", parts.freshness(image.freshness, image.freshness_reason), "none found", "unknown")]
    release, verdict = image.base_release, Freshness(image.freshness)
    level = LEVEL[verdict]
    if verdict is Freshness.CURRENT:
        return [Stop("Base", _release(release), "the newest release", "newest", "good", "newest")]
    far = parts.behind(image.releases_behind, image.days_behind)
    stops = [Stop("Base", _release(release), _age(release), level)]
    if row.newest and row.newest.pk != release.pk:
        stops.append(Stop("Newest", _release(row.newest), _age(row.newest), "newest", level, far or "behind"))
    elif verdict is Freshness.END_OF_LIFE:
        stops[0] = Stop("Base", _release(release), "end of life", level)
    return stops


def _release(release: BaseRelease) -> SafeString:
    name = f"<b>{escape(release.stream.name)}</b>"
    which = f'<span class="mono sub">{escape(release.tag or parts.short(release.manifest_digest))}</span>'
    return mark_safe(f"{name} {which}")  # noqa: S308


def _age(release: BaseRelease) -> str:
    return f"of {release.created_at:%Y-%m-%d}"
