"""Releases of bases as a patch needs them: a stream's current one, the way from one to another, those withdrawn."""

import re
from datetime import datetime

from django.db.models import Q

from functions_app import clock
from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.snapshot.live_on_bases import label


def current_release(stream_id: int, platform: str) -> BaseRelease | None:
    """What the stream's tag points to for this platform, or a patch has made of it; of several the newest."""
    found = BaseRelease.objects.filter(stream=stream_id, platform=platform, current=True).select_related("stream")
    return found.order_by("-created_at", "pk").first()


def newer_base(stream: BaseStream, platform: str) -> str:
    """The newest base of the same runtime that lives and has a release for this platform; '' where none is known."""
    today = clock.now().date()
    ended = Q(deprecated_on__lte=today) | Q(os_end_of_life_on__lte=today)
    found = BaseStream.objects.filter(releases__current=True, releases__platform=platform, enabled=True)
    named = found.filter(runtime=stream.runtime).exclude(runtime="").exclude(ended)
    newest = max(named, key=lambda one: _version(one.runtime_version), default=stream)
    return newest.name if _version(newest.runtime_version) > _version(stream.runtime_version) else ""


def _version(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def base_move(old: BaseRelease, new: BaseRelease) -> BaseMove:
    """From one release to another of its stream. One query."""
    stream = ImageRef.parse(new.stream.reference)
    return BaseMove(
        stream=new.stream.name,
        stream_id=new.stream_id,
        platform=new.platform,
        from_release_id=old.pk,
        from_label=label(old),
        from_reference=str(stream.with_digest(old.manifest_digest)),
        to_release_id=new.pk,
        to_label=label(new),
        to_reference=str(stream.with_digest(new.manifest_digest)),
        to_name=f"{stream.name}:{new.tag or stream.tag}",
        index_digest=new.index_digest,
        released=new.created_at,
        releases=_releases_between(old, new),
    )


def _releases_between(old: BaseRelease, new: BaseRelease) -> int:
    newer = BaseRelease.objects.filter(
        stream=new.stream_id,
        platform=new.platform,
        created_at__gt=old.created_at,
        created_at__lte=new.created_at,
    )
    return newer.exclude(chain_id=old.chain_id).values("chain_id").distinct().count()


def is_withdrawn(base: BaseMove) -> bool:
    """Whether the release that a plan goes to was taken back: the stream's tag gives an older one, or none."""
    release = BaseRelease.objects.filter(pk=base.to_release_id).first()
    if release is None:
        return True
    if release.current:
        return False
    current = current_release(release.stream_id, release.platform)
    return current is None or current.created_at < _came(release)


def _came(release: BaseRelease) -> datetime:
    return release.returned_at or release.created_at
