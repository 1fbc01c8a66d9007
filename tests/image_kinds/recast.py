"""The same image in another form: other compression, other media types, no history, one layer for many."""

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import zstandard

from sandbox.images.making import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Blob,
    Entry,
    Executable,
    Image,
    Layer,
    SymlinkTo,
    canonical_json,
    make_layer,
)

ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"
PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"
OPAQUE = ".wh..wh..opq"
WHITEOUT = ".wh."


def assemble(
    document: Mapping[str, Any], layers: Iterable[Layer], *, annotations: Mapping[str, str] | None = None
) -> Image:
    """An OCI image of this config and these layers, whatever they are; the diff_ids are the layers' own."""
    stack = tuple(layers)
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in stack]}
    config = Blob(OCI_CONFIG, canonical_json({**document, "rootfs": rootfs}))
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor,
        "layers": [layer.blob.descriptor for layer in stack],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return Image(Blob(OCI_MANIFEST, canonical_json(manifest)), config, stack)


def annotated(image: Image, annotations: Mapping[str, str]) -> Image:
    """The same image with these annotations on its manifest."""
    return assemble(image.document, image.layers, annotations=annotations)


def with_config(image: Image, **fields: Any) -> Image:
    """The same image with these fields in its config; None takes a field away."""
    document = {name: value for name, value in {**image.document, **fields}.items() if value is not None}
    return assemble(document, image.layers)


def zstd(image: Image) -> Image:
    """The same image with layers compressed by zstd, as `buildx --output compression=zstd` makes them."""
    return assemble(
        image.document,
        [
            replace(layer, blob=Blob(ZSTD_LAYER, zstandard.ZstdCompressor().compress(layer.tar)))
            for layer in image.layers
        ],
    )


def plain(image: Image) -> Image:
    """The same image with layers that are plain tars."""
    return assemble(image.document, [replace(layer, blob=Blob(PLAIN_LAYER, layer.tar)) for layer in image.layers])


def recompressed(image: Image, level: int = 1) -> Image:
    """The same image with layers compressed anew: other digests, the same diff_ids."""
    return assemble(
        image.document,
        [
            replace(layer, blob=Blob(layer.blob.media_type, gzip.compress(layer.tar, level, mtime=1)))
            for layer in image.layers
        ],
    )


def squashed(image: Image) -> Image:
    """The same files in one layer, the same settings, and a history of that one layer alone."""
    layer = make_layer(merged(image.layers))
    created = image.document["created"]
    history = [{"created": created, "created_by": "squash", "comment": "merge of all layers"}]
    return assemble({**image.document, "history": history}, [layer])


def merged(layers: Sequence[Layer]) -> dict[str, Entry]:
    """What a container would see of these layers: later ones over earlier ones, whiteouts carried out."""
    files: dict[str, Entry] = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer.tar)) as archive:
            above: dict[str, Entry] = {}
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                if name == OPAQUE:
                    files = {path: entry for path, entry in files.items() if not path.startswith(f"{folder}/")}
                elif name.startswith(WHITEOUT):
                    hidden = f"{folder}/{name.removeprefix(WHITEOUT)}".lstrip("/")
                    files = {path: entry for path, entry in files.items() if not f"{path}/".startswith(f"{hidden}/")}
                elif member.isdir():
                    above[f"{member.name}/"] = b""
                else:
                    above[member.name] = _entry(archive, member)
            files |= above
    return files


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    if member.issym():
        return SymlinkTo(member.linkname)
    content = archive.extractfile(member)
    assert content is not None
    data = content.read()
    return Executable(data) if member.mode & 0o111 else data
