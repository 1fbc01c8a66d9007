"""Images to push, and what is read back of them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from functions_app.domain.images.manifests import Descriptor, Manifest, parse_manifest
from functions_app.registry.client import Registry
from functions_app.registry.pushing import Layer, NewImage
from functions_app.registry.uploads import Source
from sandbox.images.making import Image, make_image, make_layer, sha256_digest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TAG = "v1-base-20261120-01234567"


def base(layers: int = 3, word: str = "base") -> Image:
    """A base image of so many layers."""
    files = [{f"usr/lib/{word}-{number}": f"{word} {number}".encode() * 50} for number in range(layers)]
    return make_image([make_layer(each) for each in files], created=NOW)


def app(on: Image, layers: int = 2, word: str = "app") -> Image:
    """An application's image on that base."""
    files = [{f"var/task/{word}-{number}": f"{word} {number}".encode() * 50} for number in range(layers)]
    return make_image([make_layer(each) for each in files], base=on, created=NOW)


def as_new(image: Image, *sources: Source | None) -> NewImage:
    """The image as something to push: a source for each layer from the bottom up, the last one for all above."""
    layers = []
    for number, layer in enumerate(image.layers):
        descriptor = Descriptor("", layer.digest, len(layer.blob.data))
        layers.append(Layer(descriptor, sources[min(number, len(sources) - 1)]))
    return NewImage(tuple(layers), image.config.data, image.manifest.data, image.manifest.media_type)


def rebased(image: Image, on: Image, source: Source) -> NewImage:
    """The image as a rebase brings it: the base's layers come from elsewhere, its own are in the repository."""
    return as_new(image, *[source] * len(on.layers), None)


def pulled(registry: Registry, repository: str, reference: str) -> tuple[str, Sequence[bytes]]:
    """Digest, and the bytes of config and layers as they are pulled, each verified."""
    descriptor, data = registry.manifest(repository, reference)
    manifest = parse_manifest(data, descriptor.media_type)
    assert isinstance(manifest, Manifest)
    found = []
    for blob in (manifest.config, *manifest.layers):
        with registry.stream(repository, blob.digest, size=blob.size) as pieces:
            found.append(b"".join(pieces))
    return descriptor.digest, found


def held(image: Image) -> tuple[str, Sequence[bytes]]:
    """What `pulled` gives of this image."""
    return image.digest, [blob.data for blob in image.blobs]


def referrer(image: Image, text: str) -> tuple[list[bytes], bytes, str]:
    """Blobs, manifest and media type of a statement about an image."""
    media_type = "application/vnd.oci.image.manifest.v1+json"
    empty, statement = b"{}", text.encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "artifactType": "application/vnd.in-toto+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256_digest(empty), "size": 2},
        "layers": [
            {"mediaType": "application/vnd.in-toto+json", "digest": sha256_digest(statement), "size": len(statement)}
        ],
        "subject": {
            "mediaType": image.manifest.media_type,
            "digest": image.digest,
            "size": len(image.manifest.data),
        },
    }
    return [empty, statement], json.dumps(manifest).encode(), media_type
