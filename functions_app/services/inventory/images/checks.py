"""Lambda's rules and advice for an image of the snapshot; a deployment checks the rules against ECR itself."""

from collections.abc import Sequence

from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.images.advice import AppShape, advise
from functions_app.domain.images.lambda_rules import Check, lambda_rules
from functions_app.domain.images.manifests import Descriptor, Index, Manifest, Platform
from functions_app.models import Image
from functions_app.services.images.facts import stored_config
from functions_app.services.inventory.images.contents import Contents
from functions_app.services.inventory.images.levels import Layer, LevelRow

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
BELIEVED = (Tier.EXACT, Tier.ANNOTATION)


def rules_of(image: Image, architecture: str, contents: Contents) -> tuple[Check, ...]:
    """The rules, as far as the snapshot can tell. `architecture` is the function's, '' for none in particular."""
    if image.is_index:
        entries = tuple(_entry(str(platform)) for platform in image.platforms)
        index = Index(image.media_type, image.digest, entries)
        return lambda_rules(index, None, architecture=architecture, size_bytes=image.size_bytes)
    if not _was_read(image):
        return ()
    layers = tuple(Descriptor(layer["media_type"], layer["digest"], int(layer["size"])) for layer in image.layers)
    return lambda_rules(
        Manifest(image.media_type, image.digest, Descriptor(OCI_CONFIG, "", 0), layers),
        stored_config(image),
        architecture=architecture,
        size_bytes=image.size_bytes,
        uncompressed_bytes=contents.total_bytes,
    )


def advice_of(
    image: Image, levels: Sequence[LevelRow], layers: Sequence[Layer], contents: Contents
) -> tuple[Check, ...]:
    """Advice and hints; none for an index, and none for what was not read."""
    if image.is_index or not _was_read(image):
        return ()
    believed = image.base_tier in BELIEVED
    lambdas = next((level for level in levels if level.runtime and not level.own), None) if believed else None
    between = next((level for level in levels if level.own), None) if lambdas else None
    shape = AppShape(
        config=stored_config(image),
        base=lambdas.label or lambdas.stream if lambdas else "",
        runtime=lambdas.runtime if lambdas else "",
        between=between.label or between.stream if between else "",
        ended=image.freshness == Freshness.END_OF_LIFE,
        base_layers=sum(layer.from_base for layer in layers),
        own_compressed=sum(layer.size_bytes for layer in layers if not layer.from_base),
        own_bytes=contents.own_bytes,
        files=contents.app,
        packages=contents.names,
        base_read=contents.base_read or not any(layer.from_base for layer in layers),
    )
    return advise(shape)


def _was_read(image: Image) -> bool:
    return image.inspected_at is not None and not image.inspect_problem


def _entry(platform: str) -> tuple[Descriptor, Platform]:
    return Descriptor("", "", 0), Platform(*platform.split("/")[:3])
