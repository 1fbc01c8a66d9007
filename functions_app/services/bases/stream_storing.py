"""Keep what was read of a stream: its releases, which of them are current, and how far back they were read."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from functions_app.domain.errors import Problem
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.bases.patched_releases import in_their_place, settle, tell_released
from functions_app.services.bases.release_dating import date_releases, mark_returned
from functions_app.services.bases.stream_reading import CurrentReading, PastReading

Rows = dict[tuple[str, str], BaseRelease]  # by platform and chain id


def not_read_since(stream: BaseStream, now: datetime) -> QuerySet[BaseStream]:
    """The stream's row, unless somebody read it later: an older reading never overwrites a newer one."""
    return BaseStream.objects.filter(Q(polled_at=None) | Q(polled_at__lte=now), pk=stream.pk)


def store_unmoved(stream: BaseStream, now: datetime) -> str:
    """Its tag points to what it pointed to: no news, but where what a patch made of that is gone."""
    not_read_since(stream, now).filter(tag_digest=stream.tag_digest).update(polled_at=now, problem=None)
    return settle(stream) if stream.own else ""


@transaction.atomic
def store_current(stream: BaseStream, reading: CurrentReading, now: datetime) -> str:
    """Keep what the tag points to and mark it, all at once; what is new in words, empty for nothing."""
    held = _held(stream)
    if held is None:
        return ""
    rows = _rows(stream)
    known = list(rows.values())
    before = {row.pk for row in known if row.current}
    fresh = _merged(stream, rows, reading.releases, now, current=True)
    shown = [rows[release.platform, release.chain_id] for release in reading.releases]
    kept = [row for row in known if row.manifest_digest in reading.kept]
    for row in kept:
        row.index_digest = reading.kept[row.manifest_digest]
        row.save(update_fields=["index_digest"])
    _date(stream, known, fresh, [*shown, *kept], ())
    current = {row.pk for row in (*shown, *kept)}
    if reading.broken_off:  # of the platforms that nobody could ask for, what was current is so as far as is known
        read = {row.platform for row in (*shown, *kept)}
        current |= {row.pk for row in known if row.pk in before and row.platform not in read}
    current = in_their_place(stream, current)
    if held.polled_at and held.polled_at > now:
        current = before  # what somebody read later is current
    else:
        mark_returned(rows.values(), current - before - {row.pk for row in fresh}, now)
        _mark(stream, current, reading, now)
    tell_released(stream, before, [row for row in rows.values() if row.pk in current - before])
    platforms = {row.pk: row.platform for row in rows.values()}
    if not fresh and before == current:
        return ""
    gone = sorted({platforms[pk] for pk in before} - {platforms[pk] for pk in current})
    told = f"new releases: {len(fresh)}; platforms whose current release changed: {len(current - before)}"
    return told + (f"; no longer there for {', '.join(gone)}" if gone else "")


@transaction.atomic
def store_past(stream: BaseStream, reading: PastReading, now: datetime) -> str:
    """Keep earlier releases, the names of those known, and how far back was read; what is new in words."""
    if _held(stream) is None:
        return ""
    rows = _rows(stream)
    known = list(rows.values())
    _name(known, reading)
    fresh = _merged(stream, rows, reading.releases, now, current=False)
    _date(stream, known, fresh, [row for row in known if row.current], reading.tags)
    progress = reading.progress.known_by(row.tag for row in rows.values() if row.layers and row.config)
    BaseStream.objects.filter(pk=stream.pk).update(history=progress.as_json())
    if reading.problem:
        store_past_problem(stream, reading.problem)
    left = f"; tags left for later polls: {reading.progress.left}" if reading.progress.left else ""
    return f"earlier releases: {len(fresh)}{left}" if fresh else ""


def store_past_problem(stream: BaseStream, problem: Problem) -> None:
    """Keep why earlier releases could not be read; what is wrong with the tag itself is told before it."""
    BaseStream.objects.filter(pk=stream.pk, problem__isnull=True).update(problem=problem.as_json())


def _held(stream: BaseStream) -> BaseStream | None:
    """The stream's row, until the transaction ends; None where somebody changed it meanwhile, and had it read anew."""
    held = BaseStream.objects.select_for_update().get(pk=stream.pk)
    same = ("reference", "platforms", "own", "tag_pattern")
    return held if all(getattr(held, name) == getattr(stream, name) for name in same) else None


def _rows(stream: BaseStream) -> Rows:
    return {(row.platform, row.chain_id): row for row in stream.releases.all()}


def _merged(
    stream: BaseStream, rows: Rows, read: Iterable[BaseRelease], now: datetime, *, current: bool
) -> list[BaseRelease]:
    """Take what was read into the rows known by platform and layers; the rows that are new, not stored yet."""
    fresh = []
    for release in read:
        key = (release.platform, release.chain_id)
        if row := rows.get(key):
            # An older manifest of the same layers tells nothing new, once they are known.
            if current or not (row.layers and row.config and row.tag):
                _renew(row, release)
            continue
        release.stream, release.first_seen_at = stream, now
        rows[key] = release
        fresh.append(release)
    return fresh


def _date(
    stream: BaseStream,
    known: Collection[BaseRelease],
    fresh: Collection[BaseRelease],
    current: Collection[BaseRelease],
    tags: tuple[str, ...],
) -> None:
    date_releases(stream, known, fresh, current, tags)
    for release in fresh:
        release.save(force_insert=True)


def _name(known: Iterable[BaseRelease], reading: PastReading) -> None:
    """The tags of digests that are known: of two names of one release the newer one."""
    ranks = {tag: rank for rank, tag in enumerate(reading.tags)}
    for row in known:
        name = reading.names.get(row.index_digest or row.manifest_digest, "")
        if name and (not row.tag or ranks.get(name, len(ranks)) < ranks.get(row.tag, len(ranks))):
            BaseRelease.objects.filter(pk=row.pk).update(tag=name)
            row.tag = name


def _mark(stream: BaseStream, current: Collection[int], reading: CurrentReading, now: datetime) -> None:
    stream.releases.filter(current=True).exclude(pk__in=current).update(current=False)
    stream.releases.filter(pk__in=current).update(current=True)
    held = BaseStream.objects.filter(pk=stream.pk)
    held.update(
        problem=reading.problem.as_json() if reading.problem else None,
        tag_digest="" if reading.problem else reading.digest,
    )
    (held.filter(polled_at=None) if reading.broken_off else held).update(polled_at=now)


def _renew(row: BaseRelease, read: BaseRelease) -> None:
    """The same layers under another manifest, or read once more: follow what is known of it now."""
    columns = ["manifest_digest", "index_digest", "layers", "size_bytes", "config"]
    for column in columns:
        setattr(row, column, getattr(read, column))
    row.tag = read.tag or row.tag
    if row.pk:
        row.save(update_fields=[*columns, "tag"])
