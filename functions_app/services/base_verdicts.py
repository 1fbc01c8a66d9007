"""Judge images: find each one's base among the known releases and say whether it is current. Few queries a batch."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils import timezone

from functions_app.domain.bases import BASE_NAME, Detection, KnownRelease, detect, not_read, unknown
from functions_app.domain.freshness import Verdict, judge
from functions_app.domain.images import Platform, chain_ids
from functions_app.models import BaseRelease, BaseStream, Image, Version
from functions_app.services.row_updates import update_rows
from functions_app.services.summaries import refresh_summaries

BATCH = 1000  # images
FACTS = (
    "pk", "os", "architecture", "variant", "diff_ids", "annotations",
    "is_index", "platforms", "gone_at", "inspected_at", "inspect_problem",
)  # fmt: skip
VERDICT = (
    "base_release_id", "base_tier", "base_evidence",
    "freshness", "freshness_reason", "releases_behind", "days_behind",
)  # fmt: skip


class Facts(NamedTuple):
    """What is read of an image to judge it, in the order of FACTS."""

    pk: int
    os: str
    architecture: str
    variant: str
    diff_ids: list[str]
    annotations: dict[str, str]
    is_index: bool
    platforms: list[str]
    gone_at: datetime | None
    inspected_at: datetime | None
    inspect_problem: dict[str, Any] | None


def judge_images(image_ids: Collection[int] | None = None, *, now: datetime | None = None, refresh: bool = True) -> int:
    """Judge images anew (None: all of them) and store what changed; how many did.

    `refresh`: then write the functions' summaries anew, where verdicts of their images changed.
    """
    bench = Bench.prepare(now or timezone.now())
    changed: list[int] = []
    for rows in _batches(image_ids):
        verdicts = [(facts.pk, bench.judge(facts), stored) for facts, stored in rows]
        news = [(*verdict, pk) for pk, verdict, stored in verdicts if verdict != stored]
        update_rows(Image, VERDICT, news)
        changed += [row[-1] for row in news]
    if changed and refresh:
        _refresh(changed if image_ids is not None else None)
    return len(changed)


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


def _refresh(image_ids: Sequence[int] | None) -> None:
    if image_ids is None:
        refresh_summaries()
        return
    functions: set[int] = set()
    for start in range(0, len(image_ids), BATCH):
        versions = Version.objects.filter(image_id__in=image_ids[start : start + BATCH])
        functions.update(versions.values_list("function_id", flat=True).distinct())
    if functions:
        refresh_summaries(sorted(functions))


@dataclass
class Bench:
    """Every known release of the streams that are watched, ready for look-ups: two queries, and no more after that."""

    now: datetime
    streams: int  # that have been read at least once
    deprecated_on: Mapping[str, date | None]
    by_id: Mapping[int, KnownRelease]
    by_chain: Mapping[str, tuple[KnownRelease, ...]]
    by_track: Mapping[tuple[str, str], tuple[KnownRelease, ...]]
    _detections: dict[tuple[object, ...], Detection] = field(default_factory=dict)
    _verdicts: dict[int, Verdict] = field(default_factory=dict)

    @classmethod
    def prepare(cls, now: datetime) -> "Bench":
        """Read streams and releases."""
        streams = {stream.pk: stream for stream in BaseStream.objects.filter(enabled=True)}
        rows = BaseRelease.objects.filter(stream__enabled=True).order_by("pk")
        releases = [
            KnownRelease(pk, streams[stream].name, platform, chain, (), created_at, current, tag)
            for pk, stream, platform, chain, created_at, current, tag in rows.values_list(
                "pk", "stream_id", "platform", "chain_id", "created_at", "current", "tag"
            )
            if stream in streams
        ]
        chains, tracks = defaultdict(list), defaultdict(list)
        for release in releases:
            chains[release.chain_id].append(release)
            tracks[release.stream, release.platform].append(release)
        return cls(
            now=now,
            streams=len({release.stream for release in releases}),
            deprecated_on={stream.name: stream.deprecated_on for stream in streams.values()},
            by_id={release.id: release for release in releases},
            by_chain={chain: tuple(found) for chain, found in chains.items()},
            by_track={track: tuple(found) for track, found in tracks.items()},
        )

    def judge(self, facts: Facts) -> tuple[Any, ...]:
        """The values of the columns VERDICT for an image."""
        detection = self._detect(facts)
        verdict = self._verdict(detection)
        return (
            detection.release_id,
            detection.tier.value,
            list(detection.evidence),
            verdict.freshness.value,
            verdict.reason,
            verdict.releases_behind,
            verdict.days_behind,
        )

    def _detect(self, facts: Facts) -> Detection:
        problem = str((facts.inspect_problem or {}).get("message", ""))
        if facts.is_index or facts.inspected_at is None or problem:
            platforms = facts.platforms if facts.is_index else None
            return unknown(not_read(platforms=platforms, gone=facts.gone_at is not None, problem=problem))
        platform = str(Platform(facts.os, facts.architecture, facts.variant))
        key = (*facts.diff_ids, platform, facts.annotations.get(BASE_NAME))
        if key not in self._detections:
            self._detections[key] = detect(
                chain_ids(facts.diff_ids), platform, facts.annotations, self._look_up, streams_watched=self.streams
            )
        return self._detections[key]

    def _look_up(self, chains: Sequence[str]) -> Mapping[str, tuple[KnownRelease, ...]]:
        return {chain: self.by_chain[chain] for chain in chains if chain in self.by_chain}

    def _verdict(self, detection: Detection) -> Verdict:
        if detection.release_id is None:
            return judge(detection, (), None, self.now)
        if detection.release_id not in self._verdicts:
            release = self.by_id[detection.release_id]
            track = self.by_track[release.stream, release.platform]
            self._verdicts[release.id] = judge(detection, track, self.deprecated_on[release.stream], self.now)
        return self._verdicts[detection.release_id]
