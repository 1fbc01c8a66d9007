"""Images as the rebase takes them, and what it makes of them."""

import json
from datetime import UTC, datetime
from typing import Any

from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.rebase import Rebase, rebase
from functions_app.domain.rebase.refusals import Refusal
from sandbox.images.making import Image
from tests.image_kinds.assembly import BASE, new_base, old_base

APP, BASES = "registry.test/team/orders", "registry.test/base"
RELEASED = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
INDEX_DIGEST = "sha256:" + "1d" * 32


def held(image: Image, repository: str = APP) -> HeldImage:
    """An image as a registry has it."""
    found = HeldImage.read(repository, image.manifest.data, image.config.data, image.manifest.media_type)
    assert isinstance(found, HeldImage)
    return found


def attempt(
    app: Image,
    old: Image | None = None,
    new: Image | None = None,
    base_digest: str = INDEX_DIGEST,
    base_name: str = BASE,
) -> Rebase | Refusal:
    """Rebase, onto the next release of the base of all kinds unless told otherwise."""
    return rebase(
        held(app),
        held(old or old_base(), BASES),
        held(new or new_base(), BASES),
        released=RELEASED,
        base_name=base_name,
        base_digest=base_digest,
        tag="v7",
    )


def rebased(
    app: Image,
    old: Image | None = None,
    new: Image | None = None,
    base_digest: str = INDEX_DIGEST,
    base_name: str = BASE,
) -> Rebase:
    """The same where it must succeed."""
    found = attempt(app, old, new, base_digest, base_name)
    assert isinstance(found, Rebase), found
    return found


def refused(app: Image, old: Image | None = None, new: Image | None = None) -> Refusal:
    """The same where it must be refused."""
    found = attempt(app, old, new)
    assert isinstance(found, Refusal)
    return found


def config_of(made: Rebase) -> dict[str, Any]:
    """The config that it made."""
    found: dict[str, Any] = json.loads(made.config)
    return found


def manifest_of(made: Rebase) -> dict[str, Any]:
    """The manifest that it made."""
    found: dict[str, Any] = json.loads(made.manifest)
    return found
