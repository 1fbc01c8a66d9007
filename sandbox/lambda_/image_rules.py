"""Which images Lambda takes, and what it reads from them. Source: AWS's "Creating Lambda container images".

moto looks at no image unless told to, and then only for its being there; AWS resolves a tag once, and refuses a missing
image, an index and the wrong architecture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.core.protocol import ServiceError
from sandbox.ecr import backend
from sandbox.lambda_.model import Code
from sandbox.store.content_store import STORE, namespace
from sandbox.store.contents import StoredManifest

_URI = re.compile(
    r"(?P<host>(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com)/(?P<repository>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_CONFIG_TYPES = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
_LAYER_TYPES = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
MAX_LAYERS = 127


@dataclass(frozen=True)
class ImageUri:
    """An image URI of ECR, taken apart."""

    account: str
    region: str
    repository: str
    reference: str
    repository_uri: str


def parse_uri(uri: str) -> ImageUri:
    """Take an ECR image URI apart; a digest wins over a tag. Raises InvalidParameterValueException."""
    match = _URI.fullmatch(uri)
    if not match:
        raise invalid(f"Source image {uri} is not valid. Provide a valid source image.")
    return ImageUri(
        match["account"],
        match["region"],
        match["repository"],
        match["digest"] or match["tag"] or "latest",
        f"{match['host']}/{match['repository']}",
    )


def invalid(message: str) -> ServiceError:
    """InvalidParameterValueException."""
    return ServiceError("InvalidParameterValueException", 400, message)


def resolve(uri: str, account: str, region: str, architecture: str, function: str) -> Code:
    """Resolve a URI to a digest, once, as Lambda does, and check the image by Lambda's rules.

    Raises InvalidParameterValueException for a missing image, an index or the wrong architecture;
    AccessDeniedException for an image of another account whose repository policy does not let Lambda pull.
    """
    parsed = parse_uri(uri)
    if parsed.region != region:
        raise invalid(
            f"Source image {uri} is not valid. Provide a valid source image: it must be in {region}, "
            "the function's region."
        )
    if not may_pull(parsed, account, function):
        raise ServiceError(
            "AccessDeniedException",
            403,
            "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
        )
    manifest = STORE.manifest(namespace(parsed.account, parsed.region), parsed.repository, parsed.reference)
    if manifest is None or manifest.status != "ACTIVE":
        raise invalid(f"Source image {uri} does not exist. Provide a valid source image.")
    _check(uri, manifest, architecture)
    return Code(uri, parsed.repository_uri, manifest.digest)


def may_pull(image: ImageUri, account: str, function: str) -> bool:
    """Whether Lambda may pull from the image's repository for this account's function."""
    if image.account == account and not STORE.has_repository(namespace(account, image.region), image.repository):
        return True  # it may, but will find nothing
    return backend.pull_allowed(image.account, image.region, image.repository, account, function=function)


def manifest_of(code: Code, account: str, function: str) -> tuple[StoredManifest | None, str]:
    """The image as a cold start finds it: the manifest, or None and why (ImageDeleted, ImageAccessDenied)."""
    parsed = parse_uri(code.resolved_uri)
    if not may_pull(parsed, account, function):
        return None, "ImageAccessDenied"
    manifest = STORE.manifest(namespace(parsed.account, parsed.region), parsed.repository, code.digest)
    return (manifest, "") if manifest and manifest.status == "ACTIVE" else (None, "ImageDeleted")


def config_of(manifest: StoredManifest) -> dict[str, Any]:
    """An image's config document."""
    document: dict[str, Any] = json.loads(STORE.blob(manifest.document["config"]["digest"]))
    return document


def _check(uri: str, manifest: StoredManifest, architecture: str) -> None:
    document = manifest.document
    types: Mapping[str, Any] = document.get("config", {})
    layers = document.get("layers", [])
    if (
        manifest.is_index
        or types.get("mediaType") not in _CONFIG_TYPES
        or any(layer["mediaType"] not in _LAYER_TYPES for layer in layers)
    ):
        raise invalid(f"The image manifest, config or layer media type for the source image {uri} is not supported.")
    if len(layers) > MAX_LAYERS:
        raise invalid(f"Source image {uri} has {len(layers)} layers. The limit is {MAX_LAYERS}.")
    config = config_of(manifest)
    found = ARCHITECTURES.get(config.get("architecture", ""), config.get("architecture", ""))
    if config.get("os") != "linux" or found != architecture:
        raise invalid(
            f"The architecture of the source image {uri} is {config.get('os')}/{found}, but the function's is "
            f"linux/{architecture}. Provide an image for the function's architecture."
        )
