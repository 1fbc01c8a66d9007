"""What of a function could be patched, by the snapshot: its stale images, and the release that each could stand on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.changes.patches import BaseMove
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.refs import ImageRef
from functions_app.models import Alias, BaseRelease, Function, Image, Version
from functions_app.services.changes.patching.obstacles import obstacle
from functions_app.services.people import accounts
from functions_app.services.snapshot.live_on_bases import label
from functions_app.services.snapshot.live_versions import called_without_alias


@dataclass(frozen=True)
class PatchTarget:
    """An image that a function runs, with the aliases that run it (none: its callers name none), and its new base.

    `why_not` says why it can't be patched, with what would help; '' where it can. `base` is known where it can.
    """

    image: Image
    aliases: tuple[str, ...]
    base: BaseMove | None
    why_not: str = ""
    next_step: str = ""

    @property
    def digest(self) -> str:
        """Of the image."""
        return self.image.digest

    def movable(self) -> BaseMove:
        """Where its base goes. Raises PREFLIGHT where it can't be patched."""
        if self.base is None:
            raise DrydockError(Code.PREFLIGHT, self.why_not, next_step=self.next_step)
        return self.base


def targets(function: Function) -> tuple[PatchTarget, ...]:
    """The images that are live and not known to be on the current release of their base, production first.

    Five queries at most.
    """
    live: dict[int, list[str]] = {}
    rows = Alias.objects.filter(function=function).values_list("name", "version", "second_version")
    versions = dict(Version.objects.filter(function=function, image__isnull=False).values_list("number", "image_id"))
    for name, *numbers in rows:
        for number in dict.fromkeys(filter(None, numbers)):
            if number in versions:
                live.setdefault(versions[number], []).append(name)
    if not rows:
        number = called_without_alias().filter(function=function).values_list("number", flat=True).first() or LATEST
        if number in versions:
            live[versions[number]] = []
    production = accounts.production(function.account)
    images = Image.objects.filter(pk__in=live).select_related("repository", "base_release__stream", "base_stream")
    found = (_target(image, live[image.pk]) for image in images)
    return tuple(
        sorted(
            (target for target in found if target is not None),
            key=lambda one: (not any(map(production.include, one.aliases)), -len(one.aliases), one.digest),
        )
    )


def target_of_digest(function: Function, digest: str = "") -> PatchTarget:
    """The one to patch: that with this digest, else the first. Raises PREFLIGHT where nothing is behind."""
    found = targets(function)
    wanted = [one for one in found if digest in ("", one.digest)]
    chosen = next((one for one in wanted if one.base), next(iter(wanted), None))
    if chosen is None:
        raise DrydockError(
            Code.PREFLIGHT,
            f"Nothing that is live of {function.name} stands on an older release of its base.",
            next_step="Reload the page: it may have been patched meanwhile.",
        )
    return chosen


def _target(image: Image, aliases: Iterable[str]) -> PatchTarget | None:
    """None for one that is current."""
    names, stream, release = tuple(sorted(aliases)), image.base_stream, image.base_release
    current = current_release(stream.pk, _platform(image, release)) if stream else None
    if release is not None and current is not None and current.chain_id == release.chain_id:
        return _of_golden(image, names)
    why, step = obstacle(image)
    if why or stream is None or release is None:
        return PatchTarget(image, names, None, why, step)
    if current is None:
        why = f"{stream.name} has no current release for {release.platform}."
        return PatchTarget(image, names, None, why, "See the base image's page: perhaps its tag can't be read.")
    return PatchTarget(image, names, base_move(release, current))


def _of_golden(image: Image, aliases: tuple[str, ...]) -> PatchTarget | None:
    """It stands on the newest release of a golden image: whether that stands on an older release of its own base."""
    older = next(
        (level for level in image.base_lineage[1:] if level.get("freshness") in ("stale", "end_of_life")), None
    )
    if older is None or image.base_stream is None:
        return None
    golden = image.base_stream.name
    why = f"It stands on the newest release of {golden}, which itself stands on an older release of {older['stream']}."
    return PatchTarget(image, aliases, None, why, f"Patch {golden} first; what stands on it follows.")


def _platform(image: Image, release: BaseRelease | None) -> str:
    return release.platform if release else "/".join(filter(None, (image.os, image.architecture, image.variant)))


def current_release(stream_id: int, platform: str) -> BaseRelease | None:
    """What the stream's tag points to for this platform; of several the newest."""
    found = BaseRelease.objects.filter(stream=stream_id, platform=platform, current=True).select_related("stream")
    return found.order_by("-created_at", "pk").first()


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
