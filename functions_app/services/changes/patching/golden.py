"""Golden images that are behind their own base: found by the snapshot, and rebased in memory for a plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions_app.domain.changes.patching.golden import DEEPEST, GoldenPatch
from functions_app.domain.images.manifests import chain_ids
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, Image
from functions_app.services.changes.patching.base_releases import base_move, current_release
from functions_app.services.changes.patching.obstacles import obstacle
from functions_app.services.changes.patching.rebasing import rebased
from functions_app.services.changes.patching.survival import Push
from functions_app.services.images import rebases
from functions_app.services.images.rebases import Images
from functions_app.services.people import accounts
from functions_app.services.snapshot.live_on_bases import label


@dataclass(frozen=True)
class Golden:
    """A golden image's current release that is behind: the release that it stands on, and the one it could stand on.

    `image` is it in its repository, None where Drydock reads no such repository.
    """

    release: BaseRelease
    image: Image | None
    beneath: BaseRelease
    onto: BaseRelease

    @property
    def name(self) -> str:
        """Its stream."""
        return self.release.stream.name

    @property
    def label(self) -> str:
        """Its release as people name it."""
        return label(self.release)

    @property
    def onto_label(self) -> str:
        """The release that it could stand on as people name it."""
        return label(self.onto)


def behind(release: BaseRelease) -> tuple[Golden, ...]:
    """The golden images to patch before anything goes onto this current release of one, the deepest first.

    None where it is no golden image, or stands on the newest. Four queries for each, one more at its foot.
    """
    return _behind(release, frozenset())


def _behind(release: BaseRelease, above: frozenset[int]) -> tuple[Golden, ...]:
    """`above` are the streams that are looked at: two may stand on each other, in other releases of each."""
    seen = above | {release.stream_id}
    beneath = _beneath(release) if release.stream.own and len(above) < DEEPEST else None
    onto = current_release(beneath.stream_id, release.platform) if beneath else None
    if beneath is None or onto is None or onto.stream_id in seen:
        return ()
    deeper = _behind(onto, seen)
    if not deeper and onto.chain_id == beneath.chain_id:
        return ()
    return *deeper, Golden(release, _image(release), beneath, onto)


def _beneath(release: BaseRelease) -> BaseRelease | None:
    """The release that it stands on: of those whose layers its own begin with the nearest, as for images."""
    chains = chain_ids(release.diff_ids)[:-1]
    found = BaseRelease.objects.filter(chain_id__in=chains, platform=release.platform, stream__enabled=True)
    return max(
        found.exclude(stream=release.stream_id).select_related("stream"),
        key=lambda one: (len(one.diff_ids), not one.stream.own, one.current, one.created_at, -one.pk),
        default=None,
    )


def _image(release: BaseRelease) -> Image | None:
    name = ImageRef.parse(release.stream.reference).name
    images = Image.objects.filter(repository__uri=name, digest=release.manifest_digest)
    return images.select_related("repository__account", "base_release__stream", "base_stream").first()


def why_not(found: Sequence[Golden]) -> tuple[str, str]:
    """Why these can't be patched from here, and what would help; ("", "") where nothing is known against it."""
    reasons = (_why_not(one) for one in found)
    return next((reason for reason in reasons if reason[0]), ("", ""))


def _why_not(golden: Golden) -> tuple[str, str]:
    image, name, onto = golden.image, golden.name, f"{golden.onto.stream.name} {golden.onto_label}"
    stands = f"It stands on the newest release of {name}, which itself stands on an older release of "
    stands += f"{golden.beneath.stream.name}"
    step = f"Have {name} built anew on {onto}; what stands on it follows."
    repository = ImageRef.parse(golden.release.stream.reference).name
    if image is None or image.repository.gone_at is not None:
        why = f"Drydock reads no repository {repository} in any account, so that it can push nothing there."
        return f"{stands}. {why}", f"{step} Or add its account and region."
    if not image.repository.account.enabled:
        why = f"It is in {repository}, whose account {image.repository.account.name} is switched off in Drydock."
        return f"{stands}. {why}", step
    if image.gone_at is not None:
        return f"{stands}. Its image {image.digest[7:19]} is no longer in {repository}.", step
    why, _ = obstacle(image)
    return (f"{stands}. That golden image can't be rebased: {why}", step) if why else ("", "")


@dataclass(frozen=True)
class RebasedGolden:
    """A golden image that was rebased in memory: what the plan keeps of it, and the images."""

    patch: GoldenPatch
    image: Image
    made: Images

    @property
    def pushes(self) -> tuple[Push, ...]:
        """What is pushed into its repository."""
        push = Push(self.image, self.patch.to_digest, self.patch.tag, golden=True)
        return () if self.patch.there else (push,)


def rebased_golden(found: Sequence[Golden]) -> tuple[RebasedGolden, ...]:
    """Rebase them in memory, each upon what comes of the one before, and judge them. Nothing is pushed.

    Raises PREFLIGHT for one that can't be, and where its tag names another image.
    """
    return tuple(_rebased(found))


def _rebased(found: Sequence[Golden]) -> Iterator[RebasedGolden]:
    below: RebasedGolden | None = None
    for golden in found:
        below = _upon(golden, below)
        yield below


def _upon(golden: Golden, below: RebasedGolden | None) -> RebasedGolden:
    image, move = golden.image, base_move(golden.beneath, golden.onto)
    if image is None:
        raise AssertionError("unreachable: why_not has looked")
    move = below.patch.carrying(move) if below else move
    owner = accounts.target(image.repository.account, image.repository.region)
    made = rebased(image, move, owner, golden.release.tag, below.made.as_base if below else None)
    patch = GoldenPatch(
        **vars(made.plan),
        name=golden.name,
        stream_id=golden.release.stream_id,
        release_id=golden.release.pk,
        label=golden.label,
        moving=golden.release.stream.reference,
        there=rebases.is_pushed(made.images, ImageRef.parse(made.plan.image_uri), owner),
    )
    return RebasedGolden(patch, image, made.images)
