"""Put images into the sandbox's public name space, as AWS publishes its bases at public.ecr.aws."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sandbox.images.making import Image, Index, make_image, make_index, make_layer
from tests.fixtures import Sandbox, push_image, registry_client

LOGIN = ("public", "sandbox")
_NUMBERS = itertools.count(1)


def unique_repository() -> str:
    """A public repository that no other test of this session uses."""
    return f"tests/base-{next(_NUMBERS)}"


def publish(sandbox: Sandbox, repository: str, image: Image | Index, tags: Sequence[str]) -> str:
    """Push to the public name space and give the digest."""
    with registry_client(sandbox.url, LOGIN) as registry:
        push_image(registry, repository, image, tags)
    return image.digest


def base(number: int, *, architecture: str = "amd64", name: str = "base", days_old: int | None = None) -> Image:
    """A small base image: two layers of which the first is shared by all numbers. Higher numbers are newer."""
    age = 100 - 10 * number if days_old is None else days_old
    layers = [make_layer({"etc/os-release": b"ID=amzn"}), make_layer({"etc/release": f"{name} {number}".encode()})]
    return make_image(layers, created=NOW - timedelta(days=age), architecture=architecture)


def base_index(number: int, *, name: str = "base", days_old: int | None = None) -> Index:
    """The same for amd64 and arm64, as an index."""
    return make_index(
        [base(number, architecture=architecture, name=name, days_old=days_old) for architecture in ("amd64", "arm64")]
    )


def app(on: Image, word: str = "app") -> Image:
    """An application image with one layer on that base."""
    return make_image([make_layer({"var/task/app.py": word.encode()})], base=on, created=NOW)


def dated(tag: str, image: Image | Index) -> str:
    """The dated tag that goes with the image's time of creation: `3.12.2026.10.03.13`."""
    created = (image.images[0] if isinstance(image, Index) else image).created
    return f"{tag}.{created:%Y.%m.%d.%H}"


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
