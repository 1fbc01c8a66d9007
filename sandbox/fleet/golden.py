"""The company's golden image: Harbour's own base on AWS's python:3.12, in a private repository of production.

Two layers of its own, with the company's certificates and its observability package, as platform teams build them. Its
newest release was built before AWS's newest one: it is the current golden image, and stale all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from sandbox.ecr import backend
from sandbox.images.base_packages import python_files
from sandbox.images.bases import releases, stream
from sandbox.images.making import Blob, Entry, Image, Layer, make_image, make_layer
from sandbox.store.content_store import PUBLIC, STORE, namespace

ACCOUNT, REGION, REPOSITORY, TAG = "111111111111", "eu-west-1", "platform/python-golden", "3.12"
NAME = f"{REPOSITORY}:{TAG}"
BASE = "python:3.12"
_SITE = "var/lang/lib/python3.12/site-packages"


@dataclass(frozen=True)
class GoldenRelease:
    """A release: its version, how many releases of AWS's base are newer, its age in days, its package's version."""

    version: str
    behind: int
    days: int
    observability: str

    @property
    def base_number(self) -> int:
        """The number of the base's release it stands on, from 0."""
        return len(stream(BASE).ages) - 1 - self.behind

    def built(self, today: date) -> datetime:
        """When it was built and pushed."""
        return datetime.combine(today - timedelta(days=self.days), time(8, 20, 41), UTC)


RELEASES = (
    GoldenRelease("1.3.0", 3, 80, "2.2.0"),
    GoldenRelease("1.4.0", 2, 50, "2.3.1"),
    GoldenRelease("1.5.0", 1, 24, "2.4.0"),
)
"""Those the fleet begins with, oldest first."""


@cache
def golden_image(behind: int, today: date) -> Image:
    """The golden image so many releases behind its newest as of today, for x86_64 alone."""
    release = RELEASES[-1 - behind]
    base = releases(BASE, today)[release.base_number].images["amd64"]
    return _image(release.version, release.observability, base, release.built(today))


def seed_golden(today: date) -> None:
    """Create the repository and push its releases; each takes the moving tag from the one before."""
    backend.create_repository(ACCOUNT, REGION, REPOSITORY)
    for behind in reversed(range(len(RELEASES))):
        release = RELEASES[-1 - behind]
        _push(release.version, golden_image(behind, today), release.built(today) + timedelta(minutes=2))


def published() -> list[str]:
    """The versions in the repository, oldest first; none where no fleet has one."""
    space = namespace(ACCOUNT, REGION)
    if not STORE.has_repository(space, REPOSITORY):
        return []
    versions = [tag.removeprefix(f"{TAG}-") for tag in list(STORE.contents(space, REPOSITORY).tags)]
    return sorted((each for each in versions if re.fullmatch(r"\d+\.\d+\.\d+", each)), key=_numbers)


def publish(created: datetime) -> tuple[str, Image]:
    """Build and push the next release, on what AWS's moving tag points to now; its version and its image.

    Raises LookupError where the fleet has no golden image.
    """
    before = published()
    if not before:
        raise LookupError(f"no golden image here: {REPOSITORY} is part of the demo's fleet")
    major, minor, _ = _numbers(before[-1])
    version = f"{major}.{minor + 1}.0"
    image = _image(version, f"2.{minor}.0", _newest_base(), created)
    _push(version, image, created)
    return version, image


def _push(version: str, image: Image, pushed_at: datetime) -> None:
    STORE.push(namespace(ACCOUNT, REGION), REPOSITORY, image, [f"{TAG}-{version}", TAG], pushed_at=pushed_at)


def _image(version: str, observability: str, base: Image, created: datetime) -> Image:
    return make_image(
        [_certificates_layer(), _observability_layer(observability)],
        base=base,
        created=created,
        created_by=[
            "COPY certificates/ /etc/pki/ # buildkit",
            f"RUN /bin/sh -c pip install --no-cache-dir harbour-observability=={observability} # buildkit",
        ],
        config={
            "Env": ["REQUESTS_CA_BUNDLE=/etc/pki/tls/certs/ca-bundle.crt", "HARBOUR_TRACES=on"],
            "Labels": {
                "org.opencontainers.image.title": "python-golden",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.source": "https://git.example.com/harbour/python-golden",
                "org.opencontainers.image.vendor": "Harbour platform team",
            },
        },
    )


@cache
def _certificates_layer() -> Layer:
    """The company's root beside those that everybody trusts: the base's bundle is replaced."""
    root = b"# Harbour Root CA 2024\n"
    return make_layer(
        {
            "etc/pki/ca-trust/source/anchors/harbour-root.pem": root,
            "etc/pki/tls/certs/ca-bundle.crt": b"# Mozilla's CA bundle\n" * 40 + root,
        }
    )


@cache
def _observability_layer(version: str) -> Layer:
    package = f"{_SITE}/harbour_observability"
    installed = {"harbour-observability": version, "opentelemetry-api": "1.38.0", "opentelemetry-sdk": "1.38.0"}
    files: dict[str, Entry] = {
        f"{package}/__init__.py": f'"""Traces and metrics of every team."""\n\n__version__ = "{version}"\n'.encode(),
        f"{package}/tracing.py": b'"""Spans."""\n',
    }
    return make_layer(files | python_files(_SITE, installed))


def _newest_base() -> Image:
    """AWS's image for x86_64 as the public registry has it: releases may have been published since the start."""
    base = stream(BASE)
    found = STORE.manifest(PUBLIC, base.repository, f"{base.tag}-x86_64")
    if found is None:
        raise LookupError(f"{BASE} has no image for x86_64")
    described = found.document["config"]
    config = Blob(described["mediaType"], STORE.blob(described["digest"]))
    image = Image(Blob(found.media_type, found.data), config, ())
    layers = zip(found.document["layers"], image.document["rootfs"]["diff_ids"], strict=True)
    stack = tuple(Layer(Blob(each["mediaType"], STORE.blob(each["digest"])), diff_id) for each, diff_id in layers)
    return Image(image.manifest, config, stack)


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch
