"""Small true images for the tests."""

from datetime import UTC, datetime
from typing import Any

from sandbox.images.making import Flavour, Image, make_image, make_layer

CREATED = datetime(2026, 6, 1, tzinfo=UTC)


def small_image(text: str = "hello", *, flavour: Flavour = "oci", architecture: str = "amd64", **more: Any) -> Image:
    """One layer with one file; other text gives another digest."""
    layer = make_layer({"app/handler.py": text.encode()})
    config = {"Cmd": ["handler.main"], "Labels": {"text": text}}
    return make_image([layer], created=CREATED, config=config, flavour=flavour, architecture=architecture, **more)
