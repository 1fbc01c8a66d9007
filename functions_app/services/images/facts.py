"""Read what an image is from its manifest and config: once per digest, ever, as far as it can be read."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.build_steps import kept_step
from functions_app.domain.images.manifests import (
    HistoryEntry,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    parse_config,
    parse_manifest,
)
from functions_app.domain.redaction import redact_value
from functions_app.domain.text import storable, storable_value
from functions_app.models import Image
from functions_app.registry.client import CONFIG_LIMIT, Registry
from functions_app.services.snapshot.bulk_updates import update_rows

READERS = 8  # configs fetched at a time
TEXT = 16 * 1024  # characters of any one text that are kept
BATCH = 500  # images: what was read is stored after each
FACTS = (
    "inspected_at", "inspect_problem", "is_index", "os", "architecture", "variant", "created_at",
    "layers", "diff_ids", "history", "settings", "labels", "annotations", "platforms", "entries",
)  # fmt: skip


def inspect(
    images: Sequence[Image],
    manifests: Mapping[str, bytes],
    registry: Registry,
    *,
    now: datetime | None = None,
) -> None:
    """Fill and store the columns of images from `manifests` (digest -> bytes) and their configs in one registry.

    The rows need their repository at hand (select_related). What could not be read is told in `inspect_problem`; it
    is tried again at the next call where that may help, that is, `inspected_at` stays null.
    """
    when = now or clock.now()
    for start in range(0, len(images), BATCH):
        _inspect(images[start : start + BATCH], manifests, registry, when)


def copy_known(images: Sequence[Image]) -> None:
    """Fill and store the columns of images whose digest was read in another repository; the others stay as they are."""
    unknown = {image.pk for image in _copy_from_twins(images)}
    _store(image for image in images if image.pk not in unknown)


def known_digests(digests: Iterable[str]) -> frozenset[str]:
    """Those of which some repository's image was read."""
    return frozenset(_read().filter(digest__in=list(digests)).values_list("digest", flat=True))


def _read() -> QuerySet[Image]:
    # An index that was read before its entries were kept is no twin to copy from.
    return Image.objects.filter(inspected_at__isnull=False).exclude(is_index=True, entries__isnull=True)


def _store(images: Iterable[Image]) -> None:
    update_rows(Image, FACTS, ([*(getattr(image, name) for name in FACTS), image.pk] for image in images))


def _inspect(images: Sequence[Image], manifests: Mapping[str, bytes], registry: Registry, now: datetime) -> None:
    parsed: list[tuple[Image, Manifest]] = []
    for image in _copy_from_twins(images):
        _start(image, now)
        try:
            manifest = _manifest_of(image, manifests)
        except DrydockError as error:
            _fail(image, error.problem)
            continue
        _describe(image, manifest)
        if isinstance(manifest, Manifest):
            parsed.append((image, manifest))
    for (image, manifest), outcome in zip(parsed, _read_configs(parsed, registry), strict=True):
        if isinstance(outcome, Problem):
            _fail(image, outcome)
        else:
            _fill(image, manifest, outcome)
    _store(images)


def _copy_from_twins(images: Sequence[Image]) -> list[Image]:
    """Copy the facts of the same digest from another repository; the images for which there are none yet."""
    own = {image.pk for image in images}
    found = _read().filter(digest__in={image.digest for image in images})
    twins = {twin.digest: twin for twin in found.exclude(pk__in=own)}
    for image in images:
        if twin := twins.get(image.digest):
            for name in FACTS:
                setattr(image, name, getattr(twin, name))
    return [image for image in images if image.digest not in twins]


def _manifest_of(image: Image, manifests: Mapping[str, bytes]) -> Manifest | Index:
    data = manifests.get(image.digest)
    if data is None:
        raise DrydockError(Code.NOT_FOUND, "ECR did not give its manifest.", retryable=True)
    manifest = parse_manifest(data)
    if manifest.digest != image.digest and image.digest.startswith("sha256:"):
        raise DrydockError(Code.FAILED, f"Its manifest has the digest {manifest.digest[:19]}.")
    if isinstance(manifest, Manifest) and not manifest.is_image:
        kind = storable(manifest.config.media_type, 100) or "unknown"
        raise DrydockError(Code.INVALID, f"It is an artifact of type {kind}, not a container image.")
    return manifest


def _read_configs(parsed: Sequence[tuple[Image, Manifest]], registry: Registry) -> Iterable[ImageConfig | Problem]:
    """The config of each manifest, or why there is none. A refusal ends the asking: it would be the same for all."""
    refused: list[Problem] = []

    def read(address: tuple[str, str]) -> ImageConfig | Problem:
        if refused:
            return refused[0]
        try:
            return parse_config(registry.blob(*address, CONFIG_LIMIT))
        except DrydockError as error:
            if error.problem.code is Code.DENIED:
                refused.append(error.problem)
            return error.problem

    addresses = [(image.repository.name, manifest.config.digest) for image, manifest in parsed]
    distinct = list(dict.fromkeys(addresses))
    with ThreadPoolExecutor(READERS, thread_name_prefix="configs") as pool:
        outcomes = dict(zip(distinct, pool.map(read, distinct), strict=True))
    return [outcomes[address] for address in addresses]


def _start(image: Image, now: datetime) -> None:
    image.inspected_at, image.inspect_problem, image.is_index, image.platforms = now, None, False, []


def _describe(image: Image, manifest: Manifest | Index) -> None:
    image.annotations = _texts(dict(manifest.annotations))
    if isinstance(manifest, Index):
        image.is_index = True
        image.platforms = [storable(str(platform), 60) for platform in manifest.platforms]
        image.entries = [
            {"digest": entry.digest, "platform": storable(str(platform), 60) if platform else ""}
            for entry, platform in manifest.entries
        ]
        return
    image.layers = [
        {"digest": layer.digest, "size": layer.size, "media_type": storable(layer.media_type, 120)}
        for layer in manifest.layers
    ]


def _fail(image: Image, problem: Problem) -> None:
    image.inspect_problem = problem.as_json()
    if problem.retryable or problem.code is Code.DENIED:
        image.inspected_at = None


def _fill(image: Image, manifest: Manifest, config: ImageConfig) -> None:
    if len(config.diff_ids) != len(manifest.layers):
        counts = f"{len(config.diff_ids)} layers in its config, {len(manifest.layers)} in its manifest"
        _fail(image, Problem(Code.INVALID, f"It contradicts itself: {counts}."))
        return
    image.os = storable(config.platform.os, 30)
    image.architecture = storable(config.platform.architecture, 30)
    image.variant = storable(config.platform.variant, 30)
    image.created_at = config.created
    image.diff_ids = list(config.diff_ids)
    image.history = [
        {
            "created_by": kept_step(step.created_by),
            "empty_layer": step.empty_layer,
            "created": step.created.isoformat() if step.created else None,
        }
        for step in config.history
    ]
    image.settings = {
        "entrypoint": _texts(config.entrypoint),
        "command": _texts(config.command),
        "working_directory": storable(config.working_directory, TEXT),
        "env_keys": [storable(key, TEXT) for key, _ in config.env],
        "size_bytes": config.settings_bytes,
    }
    image.labels = _texts(dict(config.labels))


def _texts(value: Any) -> Any:
    """Texts that an image says of itself, without credentials; none of them is endless."""
    return redact_value(storable_value(value, TEXT))


def stored_config(image: Image) -> ImageConfig:
    """The config as it is kept of an image that was read; of its environment the names alone."""
    settings: Mapping[str, Any] = image.settings
    return ImageConfig(
        platform=Platform(image.os, image.architecture, image.variant),
        diff_ids=tuple(image.diff_ids),
        history=tuple(_step(step) for step in image.history),
        entrypoint=tuple(settings.get("entrypoint") or ()),
        command=tuple(settings.get("command") or ()),
        working_directory=settings.get("working_directory") or "",
        env=tuple((key, "") for key in settings.get("env_keys") or ()),
        labels=image.labels,
        created=image.created_at,
        settings_bytes=settings.get("size_bytes"),
    )


def _step(step: Mapping[str, Any]) -> HistoryEntry:
    created = step.get("created")
    when = datetime.fromisoformat(created) if isinstance(created, str) else None
    return HistoryEntry(str(step.get("created_by", "")), bool(step.get("empty_layer")), when)
