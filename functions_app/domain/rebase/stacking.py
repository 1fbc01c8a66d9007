"""The layers of a rebased image: the new base's and then the app's, all by one flavour of media types.

A manifest that mixes Docker's types with OCI's is one that half of the tools can't read; Docker's schema 2 has no zstd.
Sources: image-spec 1.1 layer.md, Docker's Image Manifest V2 Schema 2, containerd's images/mediatypes.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.refusals import Reason, Refusal
from functions_app.domain.text import visible

OCI, DOCKER = "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"
COMPRESSIONS: Mapping[str, str] = {
    OCI: "",
    f"{OCI}+gzip": "gzip",
    f"{OCI}+zstd": "zstd",
    DOCKER: "",
    f"{DOCKER}.gzip": "gzip",
    f"{DOCKER}.zstd": "zstd",
}
FOREIGN = ("application/vnd.docker.image.rootfs.foreign.", "application/vnd.oci.image.layer.nondistributable.")
CONFIG_TYPE = {
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
}


@dataclass(frozen=True)
class LayerSource:
    """A layer of the result, and the repository (HOST/NAME) that has its blob: the app's own where that does."""

    descriptor: Descriptor
    from_repository: str
    from_base: bool


@dataclass(frozen=True)
class Stack:
    """All layers from the bottom up, and how a manifest of `media_type` writes them."""

    media_type: str
    layers: tuple[LayerSource, ...]
    descriptors: tuple[Mapping[str, Any], ...]


def stack(app: HeldImage, own: int, base: HeldImage) -> Stack | Refusal:
    """The base's layers, and the app's from number `own` on."""
    written = [*base.descriptors, *app.descriptors[own:]]
    layers = [*base.manifest.layers, *app.manifest.layers[own:]]
    beneath = len(base.manifest.layers)
    if refusal := _refused(layers, written, beneath):
        return refusal
    compressions = [COMPRESSIONS[layer.media_type] for layer in layers]
    media_type = OCI_MANIFEST if "zstd" in compressions else app.manifest.media_type
    types = {compression: _type(compression, media_type) for compression in compressions}
    there = {layer.digest for layer in app.manifest.layers}
    sources = tuple(
        LayerSource(
            Descriptor(types[compression], layer.digest, layer.size),
            app.repository if layer.digest in there else base.repository,
            from_base=number < beneath,
        )
        for number, (layer, compression) in enumerate(zip(layers, compressions, strict=True))
    )
    descriptors = tuple(
        _written(each, types[compression], media_type) for each, compression in zip(written, compressions, strict=True)
    )
    return Stack(media_type, sources, descriptors)


def _refused(layers: Sequence[Descriptor], written: Sequence[Mapping[str, Any]], beneath: int) -> Refusal | None:
    for number, (layer, each) in enumerate(zip(layers, written, strict=True)):
        media_type, digest = layer.media_type, layer.digest[:19]
        whose = "the base" if number < beneath else "the image"
        if media_type.startswith(FOREIGN) or each.get("urls"):
            text = f"Layer {digest} of {whose} is kept elsewhere than in a registry (a foreign layer)."
            return Refusal(Reason.FOREIGN_LAYER, text)
        if media_type not in COMPRESSIONS:
            text = f"Layer {digest} of {whose} is of a kind that is not known: {visible(media_type, 100) or 'none'}."
            return Refusal(Reason.UNKNOWN_LAYER, text)
    return None


def _type(compression: str, manifest_type: str) -> str:
    base, sign = (OCI, "+") if manifest_type == OCI_MANIFEST else (DOCKER, ".")
    return f"{base}{sign}{compression}" if compression else base


def _written(descriptor: Mapping[str, Any], media_type: str, manifest_type: str) -> Mapping[str, Any]:
    """Schema 2 knows no more of a layer than these three."""
    if manifest_type == DOCKER_MANIFEST:
        return {"mediaType": media_type, "size": descriptor["size"], "digest": descriptor["digest"]}
    return {**descriptor, "mediaType": media_type}
