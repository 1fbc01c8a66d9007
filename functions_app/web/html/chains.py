"""The chain, drawn: alias, version, image, base release, newest release; a lane for each way calls take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.repairs import Link, broken_link
from functions_app.domain.images.statuses import read_status
from functions_app.models import BaseRelease, Image
from functions_app.services.inventory.fleet.advice import broken_version
from functions_app.services.inventory.fleet.function import Lane, VersionRow
from functions_app.web.html.amounts import behind, percent
from functions_app.web.html.badges import freshness
from functions_app.web.html.chips import digest, short, tags
from functions_app.web.html.looks import FunctionState, look

NAMED = '<a class="name" href="{}">{}</a> <span class="mono sub">{}</span>'
BENEATH = '<b>{}</b> <span class="mono sub">{}</span>'

GREEN = ("good", "newest")


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


def _lane(lane: Lane) -> list[Stop]:
    stops = [Stop("Alias", bold(lane.alias), "all calls" if lane.weight == 1 else "split")] if lane.alias else []
    if lane.row is None:
        missing = Stop("Version", bold(lane.number), "not there any more", "bad", "bad", "broken")
        return [*stops, missing]
    broken = broken_version(lane.row.version)
    link = broken_link(broken)
    image = _image(lane.row)
    if link is Link.IMAGE and image.hop != "bad":
        image = replace(image, note=broken.condition.state_reason_code, level="bad", hop="bad", word="broken")
    version = _version(lane, lane.row)
    if link is Link.VERSION:
        version = replace(version, level="bad", hop="bad", word=version.word or "broken")
    rest = _base(lane.row)
    return [*stops, version, image, *(map(_uncoloured, rest) if link else rest)]


def _uncoloured(stop: Stop) -> Stop:
    """A base beyond a broken link: no calls get to it, so that nothing of it is green."""
    level = "" if stop.level in GREEN else stop.level
    return replace(stop, level=level, hop="" if stop.hop in GREEN else stop.hop)


def _version(lane: Lane, row: VersionRow) -> Stop:
    """The version, with its own state where that is more than Active."""
    share = percent(lane.weight) if lane.alias and lane.weight < 1 else ""
    if row.version.detailed_at is None:
        return Stop("Version", bold(lane.number), "state not known", "unknown", word=share)
    like = look(FunctionState, row.version.state)
    if row.version.state == FunctionState.ACTIVE:
        return Stop("Version", bold(lane.number), word=share)
    return Stop("Version", bold(lane.number), like.word, like.colour, word=share)


def bold(text: str) -> SafeString:
    """What a stop is called."""
    return format_html("<b>{}</b>", text)


def _level(verdict: Freshness) -> str:
    """A verdict's colour; of an unknown base none."""
    return "" if verdict is Freshness.UNKNOWN else look(Freshness, verdict).colour


def _image(row: VersionRow) -> Stop:
    chips = digest(row.version.digest) + tags(row.tags, shown=2)
    note, level, hop, word = "", "", "", ""
    if row.drifted and row.deployed_tag:
        hop, word = "warn", "tag moved"
        note = f"{row.deployed_tag.name} is {short(row.deployed_tag.digest)} now"
    if row.image is None:
        where = "repository not known" if row.unread else "in no repository Drydock reads"
        note, level, word = note or where, "unknown", word or "unknown"
    elif row.image.gone_at:
        note, level, hop, word = "deleted from ECR", "bad", "bad", "broken"
    elif row.image.status and (status := read_status(row.image.status)).pullable is not True:
        level, word = ("bad", "broken") if status.pullable is False else ("unknown", "unknown")
        note, hop = status.state.partition(":")[0], level if level == "bad" else ""
    elif row.image.expiry_rule is not None:
        note, level = f"lifecycle rule {row.image.expiry_rule} will take it away", "bad"
    return Stop("Image", chips, note, level, hop, word, row.drifted)


def _base(row: VersionRow) -> list[Stop]:
    image = row.image
    if image is None:
        return []
    if image.base_release is None:
        return [_without_release(image)]
    # Each level has a verdict of its own; the image's is the worst of them.
    levels = [_Level.of(level) for level in image.base_lineage] or [_Level.of_image(image)]
    nearest, release = levels[0], image.base_release
    if nearest.freshness is Freshness.CURRENT:
        worse = [level for level in levels[1:] if level.freshness is not Freshness.CURRENT]
        return [
            Stop("Base", _release(release), "the newest release", "newest", "good", "newest"),
            *map(_beneath, worse),
        ]
    stops = [Stop("Base", _release(release), _age(release), _level(nearest.freshness))]
    if row.newest and row.newest.pk != release.pk:
        far = behind(nearest.releases_behind, nearest.days_behind) or "behind"
        newest = _release(row.newest) + _what_changes(release, row.newest)
        stops.append(Stop("Newest", newest, _age(row.newest), "newest", _level(nearest.freshness), far))
    elif nearest.freshness is Freshness.END_OF_LIFE:
        stops[0] = Stop("Base", _release(release), "end of life", _level(nearest.freshness))
    return stops


@dataclass(frozen=True)
class _Level:
    """A base beneath an image, from the lineage as stored."""

    stream: str
    label: str
    freshness: Freshness
    releases_behind: int
    days_behind: int

    @classmethod
    def of(cls, level: Mapping[str, Any]) -> "_Level":
        """An entry of Image.base_lineage."""
        return cls(
            level["stream"],
            level["label"],
            Freshness(level["freshness"]),
            level["releases_behind"],
            level["days_behind"],
        )

    @classmethod
    def of_image(cls, image: Image) -> "_Level":
        """The one level of an image that was judged before lineages were kept."""
        return cls("", "", Freshness(image.freshness), image.releases_behind, image.days_behind)


def _beneath(level: _Level) -> Stop:
    """A base beneath a golden image that makes the image what it is, although the golden image is the newest."""
    name = format_html(BENEATH, level.stream, level.label.rpartition(":")[2])
    notes = {Freshness.END_OF_LIFE: "end of life", Freshness.UNKNOWN: "current release not known"}
    far = behind(level.releases_behind, level.days_behind)
    note = notes.get(level.freshness) or (f"stale: {far}" if level.releases_behind else "withdrawn")
    return Stop("Beneath", name, note, _level(level.freshness) or "unknown")


def _without_release(image: Image) -> Stop:
    if image.base_stream is None:
        return Stop("Base", freshness(image.freshness, image.freshness_reason), "none found", "unknown")
    verdict = Freshness(image.freshness)
    note = "end of life, release unknown" if verdict is Freshness.END_OF_LIFE else "release unknown"
    return Stop("Base", bold(image.base_stream.name), note, _level(verdict) or "unknown")


def _release(release: BaseRelease) -> SafeString:
    which = release.tag or short(release.manifest_digest)
    return format_html(NAMED, reverse("base", args=[release.stream_id]), release.stream.name, which)


def _what_changes(old: BaseRelease, new: BaseRelease) -> SafeString:
    address = reverse("base-compare", args=[new.stream_id], query={"from": old.pk, "to": new.pk})
    return format_html(' <a href="{}">what changes</a>', address)


def _age(release: BaseRelease) -> str:
    return f"of {release.created_at:%Y-%m-%d}"
