"""What an image says of its base in annotations and labels, said anew of the new one.

Sources: image-spec 1.1 annotations.md (base.name, base.digest: of the index where there is one), Buildpacks' platform
spec (`io.buildpacks.lifecycle.metadata`: by runImage.topLayer `pack rebase` finds where the base ends).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions_app.domain.rebase.documents import written
from functions_app.domain.rebase.held import HeldImage

BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
_NAMES = frozenset({BASE_NAME, BASE_DIGEST})
BUILDPACKS = "io.buildpacks.lifecycle.metadata"


@dataclass(frozen=True)
class BaseClaims:
    """The new base as an image may name it; without a name or digest nothing is said, of the old one neither."""

    name: str
    digest: str

    @property
    def noted(self) -> dict[str, str]:
        """As annotations or labels."""
        return {key: value for key, value in ((BASE_NAME, self.name), (BASE_DIGEST, self.digest)) if value}

    def annotations(self, app: HeldImage, old: HeldImage, new: HeldImage) -> dict[str, str]:
        """The app's own; those that its builder took over from the base are the new base's."""
        mine, before, after = (image.manifest.annotations for image in (app, old, new))
        kept = {name: value for name, value in mine.items() if before.get(name) != value}
        theirs = {name: after[name] for name in mine if name not in kept and name in after}
        return {name: value for name, value in (kept | theirs).items() if name not in _NAMES} | self.noted

    def settings(self, settings: Mapping[str, Any], old: HeldImage, new: HeldImage) -> Mapping[str, Any]:
        """The settings with labels that say of the new base what they said of the old: a build would have."""
        labels, noted = settings.get("Labels") or {}, self.noted
        told = {name: noted.get(name) if name in _NAMES else value for name, value in labels.items()}
        if packed := self._packed(labels.get(BUILDPACKS, ""), old, new):
            told[BUILDPACKS] = packed
        kept = {name: value for name, value in told.items() if value is not None}
        return settings if kept == labels else {**settings, "Labels": kept}

    def _packed(self, label: str, old: HeldImage, new: HeldImage) -> str | None:
        """Buildpacks' label with the new base as run image; None where it isn't about the old one."""
        if not (old.config.diff_ids and new.config.diff_ids):
            return None
        try:
            said = json.loads(label)
        except (ValueError, RecursionError):
            return None
        run_image = said.get("runImage") if isinstance(said, dict) else None
        if not isinstance(run_image, dict) or run_image.get("topLayer") != old.config.diff_ids[-1]:
            return None
        found = {**run_image, "topLayer": new.config.diff_ids[-1]}
        if "reference" in found and self.name and self.digest:
            found["reference"] = f"{self.name}@{self.digest}"
        return written({**said, "runImage": found}, "label of Buildpacks").decode()
