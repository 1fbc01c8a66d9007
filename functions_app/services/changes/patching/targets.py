"""What of a function could be patched, by the snapshot: its stale images, and the release that each could stand on."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.changes.patching.golden import pending
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Alias, BaseRelease, Function, Image, Version
from functions_app.services.changes.patching import golden
from functions_app.services.changes.patching.base_releases import base_move, current_release, newer_base
from functions_app.services.changes.patching.golden import Golden
from functions_app.services.changes.patching.obstacles import obstacle
from functions_app.services.people import accounts
from functions_app.services.snapshot.live_versions import called_without_alias


@dataclass(frozen=True)
class PatchTarget:
    """An image that a function runs, with the aliases that run it (none: its callers name none), and its new base.

    `why_not` says why it can't be patched, with what would help; '' where it can. `base` is known where it can. The
    `golden` images that it stands on are patched first, in this order; then `base` goes to what comes of the last.
    """

    image: Image
    aliases: tuple[str, ...]
    base: BaseMove | None
    why_not: str = ""
    next_step: str = ""
    golden: tuple[Golden, ...] = ()

    @property
    def digest(self) -> str:
        """Of the image."""
        return self.image.digest

    @property
    def release_ids(self) -> tuple[int, ...]:
        """The releases of bases whose layers a verdict looks into."""
        own = (self.base.from_release_id, self.base.to_release_id) if self.base else ()
        return *own, *(pk for one in self.golden for pk in (one.beneath.pk, one.onto.pk))

    def movable(self) -> BaseMove:
        """Where its base goes. Raises PREFLIGHT where it can't be patched."""
        if self.base is None:
            raise DrydockError(Code.PREFLIGHT, self.why_not, next_step=self.next_step)
        return self.base


def targets(function: Function) -> tuple[PatchTarget, ...]:
    """The images that are live and not known to be on the current release of their base, production first.

    Five queries, and some for each golden image that they stand on.
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
    newest = release is not None and current is not None and current.chain_id == release.chain_id
    behind = golden.behind(current) if current is not None and release is not None else ()
    if newest and not behind:
        return _as_it_is(image, names)
    why, step = obstacle(image)
    if why or stream is None or release is None:
        return PatchTarget(image, names, None, why, step)
    if current is None:
        why = f"{stream.name} has no current release for {release.platform}."
        return PatchTarget(image, names, None, why, "See the base image's page: perhaps its tag can't be read.")
    why, step = golden.why_not(behind)
    if why and newest:
        return PatchTarget(image, names, None, why, step)
    if why or not behind:  # the newest golden image is better than this one, stale or not
        return PatchTarget(image, names, base_move(release, current))
    return PatchTarget(image, names, pending(base_move(release, current)), golden=behind)


def _as_it_is(image: Image, aliases: tuple[str, ...]) -> PatchTarget | None:
    """On the newest release, so that nothing is patched: whether that has ended, or stands on what has or is behind."""
    bad = next((level for level in image.base_lineage[1:] if level.get("freshness") in ("stale", "end_of_life")), None)
    if image.base_stream is None or (bad is None and image.freshness != Freshness.END_OF_LIFE):
        return None
    if bad is None:
        day = image.end_of_life_on
        ended = f"reached its end of life on {day}" if day else "has reached its end of life"
        why = f"{image.base_stream.name} {ended}: no newer release comes to patch onto."
        newer = newer_base(image.base_stream, _platform(image, image.base_release))
        onto = f"a newer base, {newer}" if newer else "a newer base"
        return PatchTarget(image, aliases, None, why, f"Build the image on {onto}, and deploy that.")
    stands = f"It stands on the newest release of {image.base_stream.name}, which itself stands on "
    if bad["freshness"] == "end_of_life":
        why = f"{stands}{bad['stream']}: that has reached its end of life."
        step = f"Build {image.base_stream.name} on a base that lives, then what stands on it."
    else:
        why = f"{stands}an older release of {bad['stream']}."
        step = f"Have {image.base_stream.name} built anew; what stands on it follows."
    return PatchTarget(image, aliases, None, why, step)


def _platform(image: Image, release: BaseRelease | None) -> str:
    return release.platform if release else "/".join(filter(None, (image.os, image.architecture, image.variant)))
