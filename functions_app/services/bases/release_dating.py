"""Give the releases of a stream the time at which each came about, and mark those that the moving tag came back to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Min

from functions_app.domain.bases.release_dates import Sighting, came_about, told
from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.services.snapshot.bulk_updates import update_rows


def date_releases(
    stream: BaseStream,
    known: Collection[BaseRelease],
    fresh: Collection[BaseRelease],
    current: Collection[BaseRelease],
    tags: Sequence[str],
) -> None:
    """Say of those that are new when they came about, and store it of those known that they date otherwise.

    `fresh` are rows that are not stored yet, `current` those of all that the moving tag points to now; `tags` are those
    of the stream's history, the newest first. ECR's word goes before that of the builds, where it has one for all: a
    company's image that was built long ago is a release from when it was pushed.
    """
    if not fresh:
        return
    pushed = _pushed(stream, [*known, *fresh])
    ranks = {tag: rank for rank, tag in enumerate(tags, 1)}
    tracks: dict[str, list[BaseRelease]] = defaultdict(list)
    for row in (*known, *fresh):
        tracks[row.platform].append(row)
    new, now = {id(row) for row in fresh}, {id(row) for row in current}
    changed = []
    for rows in tracks.values():
        sightings = []
        for row in rows:
            came, is_current = pushed.get(row.manifest_digest, row.first_seen_at), id(row) in now
            at = None if id(row) in new else row.created_at
            row.built_at = told(row.built_at, came)
            rank = ranks.get(row.tag, 0 if is_current else None)
            sightings.append(Sighting(row.built_at, came, at, is_current, row.returned_at, rank))
        by_push = stream.own and all(row.manifest_digest in pushed for row in rows)
        times = [each.came for each in sightings] if by_push else came_about(sightings)
        for row, each, at in zip(rows, sightings, times, strict=True):
            row.created_at = at
            if each.at and each.at != at:
                changed.append((at, row.pk))
    update_rows(BaseRelease, ["created_at"], changed)


def mark_returned(rows: Iterable[BaseRelease], returned: Collection[int], now: datetime) -> None:
    """Of these rows of a stream mark those that the tag came back to, where something newer was there before."""
    latest: dict[str, datetime] = {}
    known = list(rows)
    for row in known:
        latest[row.platform] = max(_latest(row), latest.get(row.platform, _latest(row)))
    back = [row.pk for row in known if row.pk in returned and _latest(row) < latest[row.platform]]
    update_rows(BaseRelease, ["returned_at"], [(now, pk) for pk in back])


def _latest(row: BaseRelease) -> datetime:
    return row.returned_at or row.created_at


def _pushed(stream: BaseStream, rows: Sequence[BaseRelease]) -> Mapping[str, datetime]:
    """When ECR says that these were pushed, by the digest of their manifest: for a repository that is synced."""
    try:
        name = ImageRef.parse(stream.reference).name
    except DrydockError:
        return {}
    wanted = {digest for row in rows for digest in (row.manifest_digest, row.index_digest) if digest}
    images = Image.objects.filter(repository__uri=name, digest__in=wanted, pushed_at__isnull=False)
    at = dict(images.order_by().values_list("digest").annotate(Min("pushed_at")))
    pairs = ((row.manifest_digest, at.get(row.manifest_digest) or at.get(row.index_digest)) for row in rows)
    return {digest: moment for digest, moment in pairs if moment}
