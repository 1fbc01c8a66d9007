"""An image as a registry holds it, in the bytes that it is known by."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functions_app.domain.images.manifests import ImageConfig, Index, Manifest, parse_manifest, read_config
from functions_app.domain.json_fields import distinct, malformed, read_list, read_object
from functions_app.domain.rebase.refusals import Reason, Refusal
from functions_app.domain.text import DEPTH, visible


@dataclass(frozen=True)
class HeldImage:
    """One platform's image and where it is; `repository` is HOST/NAME."""

    repository: str
    manifest: Manifest
    manifest_bytes: bytes
    config_bytes: bytes

    @classmethod
    def read(
        cls, repository: str, manifest_bytes: bytes, config_bytes: bytes, media_type: str = ""
    ) -> "HeldImage | Refusal":
        """Read it, refused where it is an index or no image. Raises DrydockError(INVALID) for a malformed one."""
        manifest = parse_manifest(manifest_bytes, media_type)
        if isinstance(manifest, Index):
            held = visible(", ".join(map(str, manifest.platforms)), 200) or "no platform named"
            return Refusal(Reason.INDEX, f"This is an index ({held}), not an image.")
        if not manifest.is_image:
            return Refusal(Reason.NOT_AN_IMAGE, "This is an artifact in the form of an image, not an image.")
        return cls(repository, manifest, manifest_bytes, config_bytes)

    @cached_property
    def config(self) -> ImageConfig:
        """The config, read. Raises DrydockError(INVALID) for one that is malformed, or not this manifest's."""
        algorithm, _, digest = self.manifest.config.digest.partition(":")
        if hashlib.new(algorithm, self.config_bytes).hexdigest() != digest:
            raise malformed("image", "its config is not the one that its manifest names")
        config = read_config(self.document)
        if len(config.diff_ids) != len(self.manifest.layers):
            layers, said = len(self.manifest.layers), len(config.diff_ids)
            raise malformed("image", f"its manifest has {layers} layers, its config {said}")
        return config

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The config as it is written, unknown members too.

        Raises DrydockError(INVALID) for one nested too deep, and one that runtimes may read otherwise.
        """
        document = read_object(self.config_bytes, "config", once=True)
        if _deeper_than(DEPTH, document):
            raise malformed("config", f"it is nested deeper than {DEPTH}")
        steps = document.get("history")
        parts = (document, document.get("config"), document.get("rootfs"))
        distinct((*parts, *(steps if isinstance(steps, list) else ())), "config")
        return document

    @property
    def settings(self) -> Mapping[str, Any]:
        """The `config` object of the config."""
        return self.document.get("config") or {}

    @property
    def history(self) -> list[Any]:
        """The history as it is written."""
        return read_list(self.document.get("history"), "history")

    @cached_property
    def descriptors(self) -> list[Mapping[str, Any]]:
        """Its layers as the manifest writes them, annotations and all. Raises as `document` does."""
        document = read_object(self.manifest_bytes, "manifest")
        if _deeper_than(DEPTH, document):
            raise malformed("manifest", f"it is nested deeper than {DEPTH}")
        layers = read_list(document.get("layers"), "layers")
        distinct((document, *layers), "manifest")
        return layers


def _deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict | list):
                below.extend(each.values() if isinstance(each, dict) else each)
        if not below:
            return False
        level = below
    return True
