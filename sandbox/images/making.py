"""Container images built in memory: real layer tars, true digests, OCI or Docker flavour.

Pure Python with no registry, no Docker and no clock of its own: the same inputs give the same bytes, hence the
same digests. Sources: OCI image-spec 1.1 (manifest, config, index) and Docker's "Image Manifest Version 2,
Schema 2".
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sandbox.images.config import history, merged_config, rfc3339

Flavour = Literal["oci", "docker"]
Compression = Literal["gzip", "none"]

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"

_LAYER_TYPES: dict[tuple[str, str], str] = {
    ("oci", "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    ("oci", "none"): "application/vnd.oci.image.layer.v1.tar",
    ("docker", "gzip"): "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ("docker", "none"): "application/vnd.docker.image.rootfs.diff.tar",
}
_COMPRESSION_OF = {media_type: compression for (_, compression), media_type in _LAYER_TYPES.items()}

# A fixed time for every file, so that a layer's bytes depend on its contents alone (2026-01-01T00:00:00Z).
FILE_TIME = 1767225600


def sha256_digest(data: bytes) -> str:
    """The digest of these bytes as registries write it: "sha256:" and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class SymlinkTo:
    """A symbolic link in a layer; `target` as it stands in the tar (relative or absolute)."""

    target: str


@dataclass(frozen=True)
class Executable:
    """A file with mode 0755; plain bytes become mode 0644."""

    data: bytes


Entry = bytes | SymlinkTo | Executable


@dataclass(frozen=True)
class Blob:
    """Bytes with a media type, addressed by their digest."""

    media_type: str
    data: bytes

    @cached_property
    def digest(self) -> str:
        """sha256 of the bytes."""
        return sha256_digest(self.data)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    @property
    def descriptor(self) -> dict[str, Any]:
        """The OCI descriptor that points to this blob."""
        return {"mediaType": self.media_type, "size": self.size, "digest": self.digest}


@dataclass(frozen=True)
class Layer:
    """One layer: the blob as a registry keeps it, and the digest of the tar inside it."""

    blob: Blob
    diff_id: str

    @property
    def digest(self) -> str:
        """Digest of the (compressed) blob."""
        return self.blob.digest

    @property
    def tar(self) -> bytes:
        """The uncompressed tar."""
        return gzip.decompress(self.blob.data) if self.blob.data[:2] == b"\x1f\x8b" else self.blob.data


@dataclass(frozen=True)
class Image:
    """One platform's image: manifest, config and layers, base first."""

    manifest: Blob
    config: Blob
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """Digest of the manifest: what Lambda calls CodeSha256."""
        return self.manifest.digest

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What must be uploaded before the manifest: config and layers."""
        return (self.config, *(layer.blob for layer in self.layers))

    @cached_property
    def document(self) -> dict[str, Any]:
        """The parsed config: architecture, os, config, rootfs, history."""
        parsed: dict[str, Any] = json.loads(self.config.data)
        return parsed

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """Digests of the uncompressed layers, base first."""
        return tuple(layer.diff_id for layer in self.layers)

    @property
    def architecture(self) -> str:
        """Go's name of the architecture: amd64 or arm64."""
        return str(self.document["architecture"])

    @property
    def created(self) -> datetime:
        """When the config says the image was built (UTC); KeyError where it does not."""
        return datetime.fromisoformat(self.document["created"].replace("Z", "+00:00"))

    @property
    def platform(self) -> dict[str, str]:
        """The platform entry that an index gives this image."""
        names = ("architecture", "os", "variant")
        return {name: self.document[name] for name in names if self.document.get(name)}


@dataclass(frozen=True)
class Index:
    """A multi-platform index (Docker: manifest list) and the images it points to."""

    manifest: Blob
    images: tuple[Image, ...]

    @property
    def digest(self) -> str:
        """Digest of the index document."""
        return self.manifest.digest


def make_layer(files: Mapping[str, Entry], *, compression: Compression = "gzip", level: int = 6) -> Layer:
    """A deterministic layer tar of these files, with a directory entry for every parent.

    Keys are paths without a leading slash; a key that ends in "/" is an empty directory, and whiteouts are plain
    files named ".wh.NAME". `level` is gzip's.
    """
    tar = _tar(files)
    data = gzip.compress(tar, compresslevel=level, mtime=0) if compression == "gzip" else tar
    return Layer(Blob(_LAYER_TYPES["oci", compression], data), sha256_digest(tar))


def make_image(
    layers: Iterable[Layer],
    *,
    created: datetime | None,
    base: Image | None = None,
    architecture: str | None = None,
    os: str = "linux",
    variant: str | None = None,
    config: Mapping[str, Any] | None = None,
    created_by: Sequence[str] = (),
    flavour: Flavour = "oci",
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """An image of the base's layers and then these, its config inherited from the base as `docker build` does.

    `created_by` names the build step of each layer, in order; settings in `config` (Entrypoint, Cmd, Env,
    WorkingDir, Labels) get empty history entries after them. The architecture is the base's, or amd64. `created` None
    tells no time, as some reproducible builds do.
    Raises ValueError if the architecture differs from the base's or created_by is not one per layer.
    """
    own = tuple(layers)
    if created_by and len(created_by) != len(own):
        raise ValueError(f"created_by names {len(created_by)} steps for {len(own)} layers")
    inherited = base.document if base else {}
    architecture = architecture or inherited.get("architecture", "amd64")
    if base and inherited["architecture"] != architecture:
        raise ValueError(f"the base is {inherited['architecture']}, the image {architecture}")
    steps = created_by or [f"COPY layer {number} /var/task # buildkit" for number in range(1, len(own) + 1)]
    stack = tuple(_in_flavour(layer, flavour) for layer in ((*base.layers, *own) if base else own))
    document: dict[str, Any] = {
        "architecture": architecture,
        "os": os,
        **({"created": rfc3339(created)} if created else {}),
        "config": merged_config(inherited.get("config", {}), config or {}),
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in stack]},
        "history": [*inherited.get("history", []), *history(steps, config or {}, created)],
    }
    if variant or inherited.get("variant"):
        document["variant"] = variant or inherited["variant"]
    config_blob = Blob(OCI_CONFIG if flavour == "oci" else DOCKER_CONFIG, canonical_json(document))
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if flavour == "oci" else DOCKER_MANIFEST,
        "config": config_blob.descriptor,
        "layers": [layer.blob.descriptor for layer in stack],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return Image(Blob(manifest["mediaType"], canonical_json(manifest)), config_blob, stack)


def make_index(
    images: Iterable[Image],
    *,
    flavour: Flavour = "oci",
    annotations: Mapping[str, str] | None = None,
    platforms: bool = True,
) -> Index:
    """An index over these images, one entry per platform, in the order given.

    `platforms` False: it leaves them to the images' configs, as image-index.md allows and some tools do.
    """
    members = tuple(images)
    media_type = OCI_INDEX if flavour == "oci" else DOCKER_INDEX
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [
            {**image.manifest.descriptor, **({"platform": image.platform} if platforms else {})} for image in members
        ],
    }
    if annotations:
        document["annotations"] = dict(annotations)
    return Index(Blob(media_type, canonical_json(document)), members)


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """Compact JSON in the order given: the bytes that are digested."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _tar(files: Mapping[str, Entry]) -> bytes:
    directories = {path.rstrip("/") for path in files if path.endswith("/")}
    for path in files:
        parts = path.rstrip("/").split("/")
        directories.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    contents = {path: entry for path, entry in files.items() if not path.endswith("/")}
    buffer = io.BytesIO()
    # GNU format, sorted by path: parents come before what is in them.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(directories | contents.keys()):
            if path in contents:
                _add(archive, path, contents[path])
            else:
                archive.addfile(_header(path, tarfile.DIRTYPE, 0o755))
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    if isinstance(entry, SymlinkTo):
        header = _header(path, tarfile.SYMTYPE, 0o777)
        header.linkname = entry.target
        archive.addfile(header)
        return
    data, mode = (entry.data, 0o755) if isinstance(entry, Executable) else (entry, 0o644)
    header = _header(path, tarfile.REGTYPE, mode)
    header.size = len(data)
    archive.addfile(header, io.BytesIO(data))


def _header(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.type, header.mode, header.mtime = kind, mode, FILE_TIME
    return header


def _in_flavour(layer: Layer, flavour: Flavour) -> Layer:
    """The same bytes under the flavour's media type: a manifest must not mix the two."""
    media_type = _LAYER_TYPES[flavour, _COMPRESSION_OF[layer.blob.media_type]]
    return layer if media_type == layer.blob.media_type else replace(layer, blob=Blob(media_type, layer.blob.data))
