"""Releases of a company's base that a patch made: its image put onto a newer release of its own base.

Its owner's tag stays where it is. So the newest patched form of the release that the tag points to is the current one
in its place, until the owner's tag moves on, or ECR no longer has it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from functions_app import eventlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.events import EventKind
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.registry.client import Registry
from functions_app.services.bases.release_dating import date_releases
from functions_app.services.bases.release_reader import ReleaseReader


def keep_patched(registry: Registry, release_id: int, image: ImageRef, tag: str, now: datetime) -> str:
    """Keep what a patch made of a release as the next of its stream, in words; repeated, it changes nothing.

    `image` is where it was pushed. Raises NOT_FOUND where it can't be read there.
    """
    of = BaseRelease.objects.select_related("stream").get(pk=release_id)
    read = ReleaseReader(registry, of.stream, image.repository).earlier(image.digest, tag)
    if not read:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{image.name}:{tag} can't be read as a release of {of.stream.name}.",
            next_step="Look whether it is still in ECR, and for which platforms the base image is watched.",
        )
    return _store(of, read[0], now)


@transaction.atomic
def _store(of: BaseRelease, made: BaseRelease, now: datetime) -> str:
    stream = BaseStream.objects.select_for_update().get(pk=of.stream_id)
    rows = list(stream.releases.filter(platform=of.platform))
    row = next((each for each in rows if each.chain_id == made.chain_id), None)
    before = {each.pk for each in rows if each.current}
    root = of.patched_from_id or of.pk
    if row is None:
        row = made
        # Its config tells the time of its parts, which is that of another release: it came about when it was pushed.
        row.stream, row.first_seen_at, row.built_at, row.patched_from_id = stream, now, None, root
        date_releases(stream, rows, [row], [row], ())
        row.save(force_insert=True)
    elif row.patched_from_id is None and row.pk != root:
        BaseRelease.objects.filter(pk=row.pk).update(patched_from=root)
    current = in_their_place(stream, before)
    BaseRelease.objects.filter(pk__in=before - current).update(current=False)
    BaseRelease.objects.filter(pk__in=current - before).update(current=True)
    tell_released(stream, before, [row] if row.pk in current - before else [])
    how = "its newest release" if row.pk in current else "kept; its owner has a newer one"
    return f"{stream.name} {row.tag} is {how}"


def in_their_place(stream: BaseStream, current: Collection[int]) -> set[int]:
    """Of each release that the tag points to the newest that a patch made of it, where ECR has that still; else itself.

    Two queries, one more where there are patched ones.
    """
    roots = dict(BaseRelease.objects.filter(pk__in=current).values_list("pk", "patched_from"))
    wanted = {root or pk for pk, root in roots.items()}
    patched = BaseRelease.objects.filter(patched_from__in=wanted).order_by("created_at", "pk")
    family = list(patched.values_list("pk", "patched_from", "manifest_digest"))
    if not family:
        return set(current)
    name = ImageRef.parse(stream.reference).name
    gone = Image.objects.filter(repository__uri=name, gone_at__isnull=False)
    lost = set(gone.filter(digest__in=[digest for *_, digest in family]).values_list("digest", flat=True))
    newest = {root: pk for pk, root, digest in family if digest not in lost}
    return {newest.get(root or pk, root or pk) for pk, root in roots.items()}


def tell_released(stream: BaseStream, before: Collection[int], new: Sequence[BaseRelease]) -> None:
    """Tell of releases that have become current in the place of those `before`; a stream's first are no news."""
    if not before or not new:
        return
    names = sorted({row.tag or row.manifest_digest[7:19] for row in new})
    rows = [{"platform": row.platform, "digest": row.manifest_digest, "tag": row.tag} for row in new]
    text = f"{stream.name} has a new release: {', '.join(names)}"
    eventlog.tell(eventlog.event(EventKind.BASE_RELEASED, text, base=stream.name, releases=rows))


def settle(stream: BaseStream) -> str:
    """Where ECR no longer has a patched release that is current, go back to what the tag points to; in words.

    One query where none is current, as for most streams.
    """
    before = set(stream.releases.filter(current=True, patched_from__isnull=False).values_list("pk", flat=True))
    current = in_their_place(stream, before) if before else before
    if current == before:
        return ""
    BaseRelease.objects.filter(pk__in=before - current).update(current=False)
    BaseRelease.objects.filter(pk__in=current).update(current=True)
    return "a patched release is gone from its repository"
