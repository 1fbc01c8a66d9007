"""An image with its base's layers swapped for another release's: the same inputs give the same bytes, and one digest.

What is refused, and why: base-image layers that are not all there, other platforms, layers of no registry, the owner's
own label. Sources: image-spec 1.1 (config.md, manifest.md, annotations.md: base.name and base.digest).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions_app.domain.images.manifests import OCI_MANIFEST, Descriptor
from functions_app.domain.images.platforms import normalised
from functions_app.domain.json_fields import read_time
from functions_app.domain.rebase.base_claims import BaseClaims
from functions_app.domain.rebase.documents import sha256, written
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.merge import Note, merge
from functions_app.domain.rebase.own_settings import own_settings
from functions_app.domain.rebase.refusals import Reason, Refusal
from functions_app.domain.rebase.seam import Seam, find_seam
from functions_app.domain.rebase.stacking import CONFIG_TYPE, LayerSource, Stack, stack
from functions_app.domain.rebase.tags import rebased_tag
from functions_app.domain.text import visible

OWNERS_LABELS = ("drydock.rebase", "io.buildpacks.rebasable")


@dataclass(frozen=True)
class Rebase:
    """What is to be pushed: config and manifest as bytes, the layers from the bottom up with where each blob is."""

    config: bytes
    config_descriptor: Descriptor
    manifest: bytes
    media_type: str
    digest: str
    tag: str
    layers: tuple[LayerSource, ...]
    notes: tuple[Note, ...]
    seam: Seam

    @property
    def kept_layers(self) -> int:
        """How many are the app's own."""
        return len(self.layers) - self.base_layers

    @property
    def base_layers(self) -> int:
        """How many are the new base's."""
        return sum(layer.from_base for layer in self.layers)

    @property
    def descriptor(self) -> Descriptor:
        """Of the result's manifest."""
        return Descriptor(self.media_type, self.digest, len(self.manifest))


def rebase(
    app: HeldImage,
    old: HeldImage,
    new: HeldImage,
    *,
    released: datetime,
    base_name: str,
    base_digest: str,
    tag: str,
) -> Rebase | Refusal:
    """The app on the new base, or why not. Raises DrydockError(INVALID) for an image that is malformed.

    `released`: when the new base came about, or was first seen; `base_digest`: of its index where it is in one; `tag`:
    the app's own, which may be empty.
    """
    if refusal := _refused(app, old, new):
        return refusal
    seam = find_seam(app.config, old.config)
    if isinstance(seam, Refusal):
        return seam
    stacked = stack(app, seam.layers, new)
    if isinstance(stacked, Refusal):
        return stacked
    own = own_settings(entry.created_by for entry in app.config.history[seam.history :])
    merged = merge(old.settings, new.settings, app.settings, own)
    claims = BaseClaims(base_name, base_digest)
    config = written(_config(app, old, new, seam, claims.settings(merged.settings, old, new)), "config")
    described = Descriptor(CONFIG_TYPE[stacked.media_type], sha256(config), len(config))
    manifest = written(_manifest(stacked, described, claims.annotations(app, old, new)), "manifest")
    digest = sha256(manifest)
    return Rebase(
        config=config,
        config_descriptor=described,
        manifest=manifest,
        media_type=stacked.media_type,
        digest=digest,
        tag=rebased_tag(tag, released, digest),
        layers=stacked.layers,
        notes=merged.notes,
        seam=seam,
    )


def owners_refusal(labels: Mapping[str, str]) -> Refusal | None:
    """The refusal in its owner's words, where a label of the image has one."""
    for name in OWNERS_LABELS:
        said = labels.get(name, "")
        if said.strip().lower().startswith("false"):
            return Refusal(Reason.OWNER, f"Its owner wants no rebase: its label {name} says “{visible(said, 200)}”.")
    return None


def _refused(app: HeldImage, old: HeldImage, new: HeldImage) -> Refusal | None:
    for image in (app, old, new):
        if not image.manifest.is_image or image.config.platform.os == "unknown":
            return Refusal(Reason.NOT_AN_IMAGE, "It is an artifact in the form of an image, not an image.")
    if refusal := owners_refusal(app.config.labels):
        return refusal
    platforms = [image.config.platform for image in (app, old, new)]
    if len({normalised(each.os, each.architecture, each.variant) for each in platforms}) > 1:
        it, before, after = (visible(str(each), 100) or "no platform" for each in platforms)
        text = f"It is for {it}, its base for {before}, the new base for {after}: they must be the same."
        return Refusal(Reason.PLATFORM, text)
    if old.config.diff_ids == new.config.diff_ids and old.settings == new.settings:
        return Refusal(Reason.SAME_BASE, "The new base has the layers and settings of the old one.")
    return None


def _config(
    app: HeldImage, old: HeldImage, new: HeldImage, seam: Seam, settings: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The app's config with what was the base's taken from the new one; whatever else it has stays."""
    document = dict(app.document)
    document["config"] = settings
    diff_ids = [*new.config.diff_ids, *app.config.diff_ids[seam.layers :]]
    document["rootfs"] = {**app.document["rootfs"], "diff_ids": diff_ids}
    if app.history:
        document["history"] = [*new.history, *app.history[seam.history :]]
    if created := _later(app.document.get("created"), new.document.get("created")):
        document["created"] = created
    variants = [image.document.get("variant") for image in (app, old, new)]
    if variants[0] == variants[1] and variants[2]:
        document["variant"] = variants[2]
    return document


def _later(one: Any, other: Any) -> Any:
    """Of two times as they are written the later: now would be another one at each attempt."""
    first, second = read_time(one), read_time(other)
    return other if second and (first is None or second > first) else one


def _manifest(stacked: Stack, config: Descriptor, annotations: Mapping[str, str]) -> Mapping[str, Any]:
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": stacked.media_type,
        "config": {"mediaType": config.media_type, "digest": config.digest, "size": config.size},
        "layers": stacked.descriptors,
    }
    return {**document, "annotations": annotations} if stacked.media_type == OCI_MANIFEST else document
