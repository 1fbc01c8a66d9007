"""The bases that the images of tests/image_kinds stand on, and what of them a registry has published by when.

AWS's as sandbox/images/bases.py makes them (six layers, some shared by all streams), and a company's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from sandbox.images import bases
from sandbox.images.making import Image, Index, make_image, make_index, make_layer

TODAY = date(2026, 11, 20)
NOW = datetime.combine(TODAY, time(12), UTC)
HOST = "public.ecr.aws"
PYTHON, OLD_PYTHON, NODE, PROVIDED = "python:3.12", "python:3.9", "nodejs:22", "provided:al2023"
GOLDEN, TOOLS, REPRODUCIBLE = "harbour/golden:1", "harbour/tools:1", "harbour/reproducible:1"


@dataclass(frozen=True)
class Publication:
    """A release as it is pushed: to which repository, what, under which tags."""

    repository: str
    image: Image | Index
    tags: Sequence[str]


def references() -> list[str]:
    """The streams to watch."""
    own = [f"{HOST}/{name}" for name in (GOLDEN, TOOLS, REPRODUCIBLE)]
    return [f"{HOST}/lambda/{name}" for name in (PYTHON, OLD_PYTHON, NODE, PROVIDED)] + own


def aws(name: str, number: int, architecture: str = "amd64") -> Image:
    """A release of a stream of AWS's for one platform; 0 is the oldest, 3 the newest."""
    return bases.releases(name, TODAY)[number].images[architecture]


def index_of(name: str, number: int) -> Index:
    """The same release for all platforms."""
    return bases.releases(name, TODAY)[number].index


@cache
def golden(number: int) -> Image:
    """The company's golden image: two layers on Python's release of October, which is one behind. 2 is the newest."""
    agent = make_layer({"opt/agent/bin": f"agent {number}".encode(), "etc/company.conf": b"proxy=on"})
    certificates = make_layer({"etc/pki/ca-trust/source/anchors/company.pem": b"-----BEGIN CERTIFICATE-----"})
    return make_image(
        [certificates, agent], base=aws(PYTHON, 2), created=NOW - timedelta(days=20 - 5 * number), config=COMPANY
    )


COMPANY = {"Labels": {"vendor": "Harbour"}, "Env": ["COMPANY_PROXY=on"]}


@cache
def tools(number: int, architecture: str = "amd64") -> Image:
    """A base of the company's from scratch; its second release changed for amd64 alone."""
    edition = number if architecture == "amd64" else 1
    layers = [make_layer({"etc/os-release": b"ID=harbour"}), make_layer({"opt/tools": f"{edition}".encode()})]
    created = NOW - timedelta(days=60 - 20 * edition)
    return make_image(layers, created=created, architecture=architecture)


@cache
def reproducible(number: int) -> Image:
    """A base built as SOURCE_DATE_EPOCH=0 has it: every release says that it was made in 1970."""
    layers = [make_layer({"etc/os-release": b"ID=nix"}), make_layer({"nix/store/hello": f"{number}".encode()})]
    return make_image(layers, created=datetime(1970, 1, 1, tzinfo=UTC))


def yesterday() -> Iterable[Publication]:
    """What the first poll finds. Of Python's releases the second was never published."""
    for number in (0, 2, 3):
        yield _aws(PYTHON, number, moving=number == 3)
    for name in (OLD_PYTHON, NODE, PROVIDED):
        yield from (_aws(name, number, moving=number == 3) for number in range(4))
    for number in (1, 2):
        yield _own(GOLDEN, golden(number), golden(number))
    yield _own(TOOLS, make_index([tools(1), tools(1, "arm64")]), tools(1))
    yield Publication("harbour/reproducible", reproducible(1), ["1"])


def today() -> Iterable[Publication]:
    """What the second poll finds new: a release of Node.js withdrawn, two bases moved on."""
    yield Publication("lambda/nodejs", index_of(NODE, 2), ["22"])
    yield _own(TOOLS, make_index([tools(2), tools(2, "arm64")]), tools(2))
    yield Publication("harbour/reproducible", reproducible(2), ["1"])


def label(name: str, number: int) -> str:
    """A release of AWS's as people write it: `python:3.12.2026.10.18.13`."""
    return f"{name.partition(':')[0]}:{bases.releases(name, TODAY)[number].version}"


def dated(name: str, image: Image) -> str:
    """A release of the company's as people write it."""
    return f"{name}.{image.created:%Y.%m.%d.%H}"


def _aws(name: str, number: int, *, moving: bool) -> Publication:
    release = bases.releases(name, TODAY)[number]
    tags = [release.version, release.stream.tag] if moving else [release.version]
    return Publication(release.stream.repository, release.index, tags)


def _own(name: str, image: Image | Index, member: Image) -> Publication:
    repository, _, tag = name.partition(":")
    return Publication(repository, image, [dated(name, member).partition(":")[2], tag])
