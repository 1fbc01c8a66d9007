"""Judge images: find each one's base among the known releases and say whether it is current. Few queries a batch."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, Q, Sum

from functions_app import clock
from functions_app.domain.bases.detection import Detection, ImageShape, Tier, detect, not_read, unknown
from functions_app.domain.bases.ends_of_life import Ends
from functions_app.domain.bases.freshness import Verdict, judge
from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.lineage import KnownRelease
from functions_app.domain.images.manifests import HistoryEntry, Platform, chain_ids
from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.services.bases.runtime_facts import ends_by
from functions_app.services.bases.streams import followed
from functions_app.services.snapshot import fleet_revision
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.live_versions import live_versions

BATCH = 1000  # images
TURNS = 3  # releases that come more often than images are judged wait for the next poll
FACTS = (
    "pk", "os", "architecture", "variant", "diff_ids", "annotations", "labels",
    "is_index", "platforms", "gone_at", "inspected_at", "inspect_problem",
)  # fmt: skip
VERDICT = (
    "base_release_id", "base_stream_id", "base_lineage", "base_tier", "base_evidence",
    "freshness", "freshness_reason", "releases_behind", "days_behind", "stale_since", "end_of_life_on",
)  # fmt: skip


class Facts(NamedTuple):
    """What is read of every image to judge it, in the order of FACTS."""

    pk: int
    os: str
    architecture: str
    variant: str
    diff_ids: list[str]
    annotations: dict[str, str]
    labels: dict[str, str]
    is_index: bool
    platforms: list[str]
    gone_at: datetime | None
    inspected_at: datetime | None
    inspect_problem: dict[str, Any] | None


def judge_images(image_ids: Collection[int] | None = None, *, now: datetime | None = None, refresh: bool = True) -> int:
    """Judge images anew (None: all of them) and store what changed; how many did.

    `refresh`: then write the functions' summaries anew, where verdicts of their images changed. Releases that are
    stored meanwhile (a poll beside a sync) are judged by too, and so is what an image is, where that was read
    meanwhile: a verdict by what was known before never stays.
    """
    changed: set[int] = set()
    for _ in range(TURNS):
        known = _releases_known()
        changed.update(_judge(image_ids, Bench.prepare(now or clock.now())))
        if _releases_known() == known:
            break
    if changed:
        fleet_revision.changed()
    if changed and refresh:
        _refresh(sorted(changed))
    return len(changed)


def _judge(image_ids: Collection[int] | None, bench: "Bench") -> Iterator[int]:
    for rows in _batches(image_ids):
        for _ in range(TURNS):
            written = _write(rows, bench)
            yield from written
            rows = _read_meanwhile(rows, written)
            if not rows:
                break


def _write(rows: Sequence[tuple[Facts, tuple[Any, ...]]], bench: "Bench") -> list[int]:
    """Store the verdicts that are others than those stored, and give the images that got one."""
    verdicts = bench.judge([facts for facts, _ in rows])
    news = [(*verdict, facts.pk) for (facts, stored), verdict in zip(rows, verdicts, strict=True) if verdict != stored]
    update_rows(Image, VERDICT, news)
    return [row[-1] for row in news]


def _read_meanwhile(
    rows: Sequence[tuple[Facts, tuple[Any, ...]]], written: Collection[int]
) -> list[tuple[Facts, tuple[Any, ...]]]:
    """Of the images that got a verdict, those that are something else by now: theirs took the place of a later one."""
    if not written:
        return []
    before = {facts.pk: (facts.inspected_at, facts.gone_at, facts.inspect_problem) for facts, _ in rows}
    now = Image.objects.filter(pk__in=written).values_list("pk", "inspected_at", "gone_at", "inspect_problem")
    changed = [pk for pk, *state in now if tuple(state) != before[pk]]
    return [row for batch in _batches(changed) for row in batch]


def _releases_known() -> tuple[Any, ...]:
    """What differs after a release came or the current one changed. One query."""
    watched = BaseRelease.objects.filter(stream__enabled=True)
    current = Q(current=True)
    counts = watched.aggregate(
        known=Count("pk"), last=Max("pk"), moving=Count("pk", filter=current), which=Sum("pk", filter=current)
    )
    return tuple(counts.values())


def _batches(image_ids: Collection[int] | None) -> Iterator[list[tuple[Facts, tuple[Any, ...]]]]:
    images = Image.objects.order_by("pk").values_list(*FACTS, *VERDICT)
    if image_ids is not None:
        wanted = sorted(set(image_ids))
        for start in range(0, len(wanted), BATCH):
            yield [_split(row) for row in images.filter(pk__in=wanted[start : start + BATCH])]
        return
    last = 0
    while rows := [_split(row) for row in images.filter(pk__gt=last)[:BATCH]]:
        last = rows[-1][0].pk
        yield rows


def _split(row: tuple[Any, ...]) -> tuple[Facts, tuple[Any, ...]]:
    return Facts(*row[: len(FACTS)]), row[len(FACTS) :]


def _refresh(image_ids: Sequence[int]) -> None:
    """The summaries of the functions of which one of these images is live: no other has changed by them."""
    functions: set[int] = set()
    for start in range(0, len(image_ids), BATCH):
        versions = live_versions().filter(image_id__in=image_ids[start : start + BATCH])
        functions.update(versions.values_list("function_id", flat=True).distinct())
    if functions:
        refresh_summaries(sorted(functions))


Standing = tuple[Tier, tuple[int, ...], str]  # tier, levels and doubt: what a verdict depends on


@dataclass
class Bench:
    """Every known release of the streams that are watched, ready for look-ups.

    Two queries, and one more for each lot of images with one among them whose layers begin with no known release.
    """

    now: datetime
    releases: KnownReleases
    stream_ids: Mapping[str, int]
    ends: Mapping[str, Ends]
    last_read: Mapping[str, datetime]
    tracks: Mapping[tuple[str, str], Sequence[KnownRelease]]
    switched_off: Mapping[tuple[str, str], str]  # by chain id and platform the stream that nobody polls
    _verdicts: dict[tuple[Tier, tuple[int, ...], str], tuple[Verdict, list[dict[str, Any]]]] = field(
        default_factory=dict
    )

    @classmethod
    def prepare(cls, now: datetime) -> "Bench":
        """Read streams and releases."""
        every = {stream.pk: stream for stream in BaseStream.objects.all()}
        streams = {pk: stream for pk, stream in every.items() if stream.enabled}
        columns = (
            "pk", "stream_id", "platform", "chain_id", "diff_ids",
            "created_at", "current", "tag", "manifest_digest", "index_digest", "first_seen_at", "returned_at",
        )  # fmt: skip
        rows = list(BaseRelease.objects.order_by("pk").values_list(*columns))
        releases = [
            KnownRelease(
                pk, streams[stream].name, platform, chain, tuple(diff_ids), at, current, tag, one, index, seen,
                streams[stream].own, back,
            )
            for pk, stream, platform, chain, diff_ids, at, current, tag, one, index, seen, back in rows
            if stream in streams
        ]  # fmt: skip
        tracks = defaultdict(list)
        for release in releases:
            tracks[release.stream, release.platform].append(release)
        return cls(
            now=now,
            releases=KnownReleases(releases, {stream.name: followed(stream) for stream in streams.values()}),
            stream_ids={stream.name: pk for pk, stream in streams.items()},
            ends={stream.name: ends_by(stream) for stream in streams.values()},
            last_read={stream.name: stream.polled_at for stream in streams.values() if stream.polled_at},
            tracks=tracks,
            switched_off={
                (chain, platform): every[stream].name
                for _, stream, platform, chain, *_ in rows
                if stream in every and stream not in streams
            },
        )

    def judge(self, images: Sequence[Facts]) -> list[tuple[Any, ...]]:
        """The values of the columns VERDICT for each image."""
        shapes = {facts.pk: _shape(facts) for facts in images if not _why_not_read(facts)}
        vague = [pk for pk, shape in shapes.items() if not self._stands_on_a_release(shape)]
        details = Image.objects.filter(pk__in=vague).values_list("pk", "settings", "history") if vague else ()
        for pk, settings, history in details:
            shapes[pk] = _with_details(shapes[pk], settings, history)
        return [self._columns(facts, shapes.get(facts.pk)) for facts in images]

    def _stands_on_a_release(self, shape: ImageShape) -> bool:
        found = self.releases.by_chain(shape.chains).values()
        return any(release.platform == shape.platform for releases in found for release in releases)

    def _columns(self, facts: Facts, shape: ImageShape | None) -> tuple[Any, ...]:
        detection = self._detect(shape) if shape else unknown(_why_not_read(facts))
        verdict, lineage = self._verdict(detection)
        return (
            detection.release_id,
            self.stream_ids.get(detection.stream),
            lineage,
            detection.tier.value,
            list(detection.evidence),
            verdict.freshness.value,
            verdict.reason,
            verdict.releases_behind,
            verdict.days_behind,
            verdict.stale_since,
            verdict.end_of_life_on,
        )

    def _detect(self, shape: ImageShape) -> Detection:
        detection = detect(shape, self.releases)
        if detection.release_id is None and self.switched_off:
            keys = ((chain, shape.platform) for chain in reversed(shape.chains))
            if stream := next((self.switched_off[key] for key in keys if key in self.switched_off), ""):
                why = f"Its layers are a release of {stream}, which is switched off: newer ones would go unnoticed."
                return replace(detection, evidence=(why, *detection.evidence))
        return detection

    def _verdict(self, detection: Detection) -> tuple[Verdict, list[dict[str, Any]]]:
        """The verdict and its levels as kept; images on the same levels share both."""
        if not detection.levels:
            return judge(detection, {}, self.ends, self.now), []
        key = detection.tier, detection.lineage, detection.doubt
        if key not in self._verdicts:
            verdict = judge(detection, self.tracks, self.ends, self.now, self.last_read)
            self._verdicts[key] = verdict, _lineage(detection, verdict)
        return self._verdicts[key]


def _lineage(detection: Detection, verdict: Verdict) -> list[dict[str, Any]]:
    """The column base_lineage; `newer` are the days on which the newer releases came, for policies."""
    return [
        {
            "release_id": level.release.id,
            "stream": level.release.stream,
            "label": level.release.label,
            "layers": level.layers if detection.tier is Tier.EXACT else 0,
            "freshness": each.freshness.value,
            "reason": each.reason,
            "releases_behind": each.releases_behind,
            "days_behind": each.days_behind,
            "newer": [came.date().isoformat() for came in each.newer],  # strftime would take six times as long
        }
        for level, each in zip(detection.levels, verdict.levels, strict=True)
    ]


def _why_not_read(facts: Facts) -> str:
    """Why nothing is known of an image's layers; "" where it was read."""
    problem = str((facts.inspect_problem or {}).get("message", ""))
    if not facts.is_index and facts.inspected_at is not None and not problem:
        return ""
    platforms = facts.platforms if facts.is_index else None
    return not_read(platforms=platforms, gone=facts.gone_at is not None, problem=problem)


def _shape(facts: Facts) -> ImageShape:
    platform = str(Platform(facts.os, facts.architecture, facts.variant))
    diff_ids = tuple(facts.diff_ids)
    return ImageShape(chain_ids(diff_ids), diff_ids, platform, facts.annotations, facts.labels)


def _with_details(shape: ImageShape, settings: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> ImageShape:
    return replace(
        shape,
        entrypoint=tuple(settings.get("entrypoint", ())),
        command=tuple(settings.get("command", ())),
        env_keys=tuple(settings.get("env_keys", ())),
        working_directory=settings.get("working_directory", ""),
        history=tuple(
            HistoryEntry(step.get("created_by", ""), step.get("empty_layer", False), None) for step in history
        ),
    )
