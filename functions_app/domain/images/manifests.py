"""Container images as a registry holds them: manifest, index, config, chain ids.

Sources: OCI image-spec 1.1 (manifest.md, image-index.md, config.md), Docker's Image Manifest V2 Schema 2. Everything
here comes from outside and may be malformed: the parsers raise DrydockError(INVALID) that says what is wrong.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from functions_app.domain.images.platforms import normalised
from functions_app.domain.json_fields import (
    malformed,
    read_list,
    read_object,
    read_strings,
    read_text,
    read_texts,
    read_time,
)
from functions_app.domain.refs import is_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
SIZE_LIMIT = 10 * 1024**3  # bytes, uncompressed: Lambda's
BLOB_SIZES = 2**50  # bytes: more in all than any registry holds of one image, and still a number that a column holds
LAYERS = 1000  # of one image; no runtime mounts more than 500
STEPS = 10_000  # of one image; its variables, labels and words of a command are no more either
CONFIG_TYPES = frozenset({"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"})

Many = TypeVar("Many", bound=Sized)


@dataclass(frozen=True)
class Platform:
    """What an image runs on, as it says itself: mostly in Go's words, linux, arm64, and a variant such as v8."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        """`linux/amd64`: the usual name, by which platforms are compared, however it is spelt."""
        return "/".join(part for part in normalised(self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True)
class Descriptor:
    """Points to content: its media type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """One image: its config and its layers from the bottom up."""

    media_type: str
    digest: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        """False for a chart, a signature, an SBOM: artifacts that share the manifest's form."""
        return self.config.media_type in CONFIG_TYPES


@dataclass(frozen=True)
class Index:
    """Several images under one digest; an entry without a platform is an attestation or an unknown artifact.

    But of `untold` ones nothing is said: their manifests tell what they are, and their configs for which platform.
    """

    media_type: str
    digest: str
    entries: tuple[tuple[Descriptor, Platform | None], ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms of the images in it."""
        return tuple(platform for _, platform in self.entries if platform)


@dataclass(frozen=True)
class HistoryEntry:
    """A build step; `empty_layer` steps (ENV, CMD ...) added no layer."""

    created_by: str
    empty_layer: bool
    created: datetime | None


@dataclass(frozen=True)
class ImageConfig:
    """An image's config; `diff_ids` are the digests of its uncompressed layers from the bottom up.

    `settings_bytes` is the size of what Lambda takes from it, values of variables too; None: it was not kept.
    """

    platform: Platform
    diff_ids: tuple[str, ...]
    history: tuple[HistoryEntry, ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    working_directory: str
    env: tuple[tuple[str, str], ...]
    labels: Mapping[str, str]
    created: datetime | None
    settings_bytes: int | None = None


def chain_ids(diff_ids: Iterable[str]) -> tuple[str, ...]:
    """The chain id of each layer, from the bottom up: c1 = d1, cn = sha256(c(n-1) + " " + dn).

    Source: image-spec config.md, "Layer ChainID".
    """
    chains: list[str] = []
    for diff_id in diff_ids:
        chains.append(_sha256(f"{chains[-1]} {diff_id}".encode()) if chains else diff_id)
    return tuple(chains)


def parse_manifest(data: bytes, media_type: str = "") -> Manifest | Index:
    """Read a manifest or an index; `media_type` is what the registry called it. Raises DrydockError(INVALID)."""
    document = read_object(data, "manifest")
    claimed = read_text(document.get("mediaType")) or media_type or _guess(document)
    if media_type and claimed != media_type:
        raise malformed("manifest", f"the registry calls it {media_type}, the manifest itself {claimed}")
    # One that could be read as both is how a scanner and a runtime are made to see different images: CVE-2021-41190.
    if ("manifests" in document) == ("layers" in document or "config" in document):
        raise malformed("manifest", f"it is neither an image nor an index (media type {claimed!r})")
    if ("manifests" in document) != (claimed in INDEX_TYPES) or claimed not in MANIFEST_TYPES:
        raise malformed(
            "manifest", f"media type {claimed!r} is not one that Drydock reads, or does not fit its contents"
        )
    digest = _sha256(data)
    annotations = _few(read_texts(document.get("annotations"), "annotations"), STEPS, "annotations")
    if claimed in INDEX_TYPES:
        listed = [(_descriptor(entry), entry) for entry in read_list(document["manifests"], "manifests")]
        entries = tuple((descriptor, _entry_platform(entry)) for descriptor, entry in listed)
        untold = frozenset(descriptor.digest for descriptor, entry in listed if not entry.get("platform"))
        return Index(claimed, digest, entries, annotations, untold)
    layers = tuple(_descriptor(layer) for layer in _few(read_list(document.get("layers"), "layers"), LAYERS, "layers"))
    return Manifest(claimed, digest, _descriptor(document.get("config")), layers, annotations)


def parse_config(data: bytes) -> ImageConfig:
    """Read an image config. Raises DrydockError(INVALID)."""
    return read_config(read_object(data, "config"))


def read_config(document: Mapping[str, Any]) -> ImageConfig:
    """The same from its JSON. Raises DrydockError(INVALID)."""
    rootfs, settings = document.get("rootfs"), document.get("config") or {}
    if not isinstance(rootfs, dict) or not isinstance(settings, dict):
        raise malformed("config", "rootfs or config is missing or not an object")
    diff_ids = tuple(_few(read_strings(rootfs.get("diff_ids"), "diff_ids"), LAYERS, "layers"))
    if not all(is_digest(diff_id) for diff_id in diff_ids):
        raise malformed("config", "a diff_id is not a digest")
    return ImageConfig(
        platform=Platform(
            read_text(document.get("os")), read_text(document.get("architecture")), read_text(document.get("variant"))
        ),
        diff_ids=diff_ids,
        history=tuple(
            _history_entry(entry) for entry in _few(read_list(document.get("history"), "history"), STEPS, "steps")
        ),
        entrypoint=tuple(_few(read_strings(settings.get("Entrypoint"), "Entrypoint"), STEPS, "words")),
        command=tuple(_few(read_strings(settings.get("Cmd"), "Cmd"), STEPS, "words")),
        working_directory=read_text(settings.get("WorkingDir")),
        env=tuple(_pair(text) for text in _few(read_strings(settings.get("Env"), "Env"), STEPS, "variables")),
        labels=_few(read_texts(settings.get("Labels"), "Labels"), STEPS, "labels"),
        created=read_time(document.get("created")),
        settings_bytes=_size(settings, "Entrypoint", "Cmd", "WorkingDir", "Env"),
    )


def _size(settings: Mapping[str, Any], *names: str) -> int:
    """How many bytes the settings of these names are, as JSON in UTF-8."""
    held = {name: settings[name] for name in names if settings.get(name)}
    return len(json.dumps(held, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _few(items: Many, most: int, what: str) -> Many:
    """The items, where they are no more than any image's: comparing two endless ones would take for ever."""
    if len(items) > most:
        raise malformed("image", f"it has more than {most:,} {what}")
    return items


def _guess(document: Mapping[str, Any]) -> str:
    # OCI's mediaType is optional in the document, and BatchGetImage may not repeat it.
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST if "layers" in document else ""


def _descriptor(value: Any) -> Descriptor:
    if not isinstance(value, dict):
        raise malformed("manifest", "a descriptor is missing or not an object")
    digest, size = value.get("digest"), value.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise malformed("manifest", "a descriptor has no valid digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < BLOB_SIZES:
        raise malformed("manifest", f"the descriptor of {digest[:19]} has no valid size")
    return Descriptor(read_text(value.get("mediaType")), digest, size)


def _entry_platform(entry: Mapping[str, Any]) -> Platform | None:
    value = entry.get("platform")
    if not isinstance(value, dict) or read_text(value.get("os")) in {"", "unknown"}:
        return None  # buildx gives attestations the platform unknown/unknown
    return Platform(read_text(value["os"]), read_text(value.get("architecture")), read_text(value.get("variant")))


def _history_entry(value: Any) -> HistoryEntry:
    if not isinstance(value, dict):
        raise malformed("config", "a history entry is not an object")
    return HistoryEntry(
        read_text(value.get("created_by")), value.get("empty_layer") is True, read_time(value.get("created"))
    )


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
