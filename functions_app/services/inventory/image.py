"""One image of a function: its layers and which of them belong to the base, its config, and Lambda's rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.image_rules import Check, lambda_rules
from functions_app.domain.images import Descriptor, ImageConfig, Index, Manifest, Platform
from functions_app.models import Image, Tag, Version

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Layer:
    """A layer from the bottom up: compressed bytes, the build step that made it, and its share of the whole."""

    digest: str
    size_bytes: int
    created_by: str
    from_base: bool
    share: float


@dataclass(frozen=True)
class ImageFacts:
    """All that is known of an image."""

    image: Image
    layers: tuple[Layer, ...]
    base_bytes: int
    own_bytes: int
    tags: tuple[str, ...]
    versions: tuple[str, ...]
    checks: tuple[Check, ...]


def function_images(pk: int) -> tuple[Version, ...]:
    """The versions of a function whose image is known, newest first, $LATEST before them. One query."""
    found = (
        Version.objects.filter(function_id=pk, image__isnull=False)
        .only("number", "ordinal", "digest", "image_id")
        .order_by("-ordinal")[:200]
    )
    return tuple(sorted(found, key=lambda version: version.ordinal != 0))


def image_facts(image_id: int, versions: Sequence[Version], architecture: str) -> ImageFacts:
    """Read one image. Two queries."""
    image = Image.objects.select_related("repository", "base_release__stream").get(pk=image_id)
    tags = Tag.objects.filter(repository_id=image.repository_id, digest=image.digest).order_by("name")
    layers = _layers(image)
    return ImageFacts(
        image=image,
        layers=layers,
        base_bytes=sum(layer.size_bytes for layer in layers if layer.from_base),
        own_bytes=sum(layer.size_bytes for layer in layers if not layer.from_base),
        tags=tuple(tags.values_list("name", flat=True)),
        versions=tuple(version.number for version in versions if version.image_id == image_id),
        checks=_checks(image, architecture),
    )


def _layers(image: Image) -> tuple[Layer, ...]:
    steps = [str(step.get("created_by", "")) for step in image.history if not step.get("empty_layer")]
    base = len(image.base_release.diff_ids) if image.base_release else 0
    total = sum(int(layer["size"]) for layer in image.layers) or 1
    return tuple(
        Layer(
            digest=str(layer["digest"]),
            size_bytes=int(layer["size"]),
            created_by=steps[at] if at < len(steps) else "",
            from_base=at < base,
            share=int(layer["size"]) / total,
        )
        for at, layer in enumerate(image.layers)
    )


def _checks(image: Image, architecture: str) -> tuple[Check, ...]:
    """Lambda's rules, as far as the snapshot can tell; a deployment checks them against ECR itself."""
    if image.is_index:
        entries = tuple(_entry(str(platform)) for platform in image.platforms)
        index = Index(image.media_type, image.digest, entries)
        return lambda_rules(index, None, architecture=architecture, size_bytes=image.size_bytes)
    if image.inspected_at is None or image.inspect_problem:
        return ()
    layers = tuple(Descriptor(layer["media_type"], layer["digest"], int(layer["size"])) for layer in image.layers)
    manifest = Manifest(image.media_type, image.digest, Descriptor(OCI_CONFIG, "", 0), layers)
    return lambda_rules(manifest, _config(image), architecture=architecture, size_bytes=image.size_bytes)


def _entry(platform: str) -> tuple[Descriptor, Platform]:
    return Descriptor("", "", 0), Platform(*platform.split("/")[:3])


def _config(image: Image) -> ImageConfig:
    settings: dict[str, Any] = image.settings
    return ImageConfig(
        platform=Platform(image.os, image.architecture, image.variant),
        diff_ids=tuple(image.diff_ids),
        history=(),
        entrypoint=tuple(settings.get("entrypoint") or ()),
        command=tuple(settings.get("command") or ()),
        working_directory=settings.get("working_directory") or "",
        env=tuple((key, "") for key in settings.get("env_keys") or ()),
        labels=image.labels,
        created=image.created_at,
    )
