"""The demo fleet's repositories: which images they hold, on which base release, pushed when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sandbox.fleet.apps import CATALOG, DOCUMENTS, FOREIGN, ORDERS, PROBE, THUMBNAILS, TOOLS, App, build_app
from sandbox.fleet.golden import NAME as GOLDEN
from sandbox.images.making import Flavour, Image, Index, make_index

PRODUCTION, STAGING = "111111111111", "222222222222"
EUROPE, AMERICA = "eu-west-1", "us-east-1"


@dataclass(frozen=True)
class AppImage:
    """One built image: its version tag, the moving tags it was pushed with, base release and age in days.

    `behind` counts the releases of the base stream that are newer; two `architectures` make an index; `deleted`
    images were pushed, deployed, and later deleted from ECR. `added` names what the build also did to its base.
    """

    tag: str
    base: str
    behind: int
    days: int
    app: App
    moving: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ("amd64",)
    flavour: Flavour = "oci"
    deleted: bool = False
    added: str = ""

    def built(self, today: date) -> datetime:
        """When it was built and pushed."""
        return datetime.combine(today - timedelta(days=self.days), time(9, 41, 8), UTC)

    def build(self, today: date) -> Image | Index:
        """The image, or an index where it is for several architectures."""
        members = tuple(self._members(today))
        return members[0] if len(members) == 1 else make_index(members, flavour=self.flavour)

    def _members(self, today: date) -> Iterator[Image]:
        for architecture in self.architectures:
            yield build_app(
                self.app.title,
                self.tag,
                base=self.base,
                behind=self.behind,
                built=self.built(today),
                today=today,
                architecture=architecture,
                flavour=self.flavour,
                added=self.added,
            )


@dataclass(frozen=True)
class Repository:
    """A private repository and its images, oldest first."""

    account: str
    region: str
    name: str
    images: tuple[AppImage, ...]

    @property
    def uri(self) -> str:
        """The address without a tag."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{self.name}"

    def image(self, tag: str) -> AppImage:
        """The image with this version tag; KeyError if there is none."""
        return {image.tag: image for image in self.images}[tag]


PYTHON, PYTHON_OLD, NODE, PROVIDED = "python:3.12", "python:3.9", "nodejs:22", "provided:al2023"
LIVE = ("main", "live")

REPOSITORIES = (
    Repository(
        PRODUCTION,
        EUROPE,
        "shop/orders",
        (
            AppImage("1.5.0", PYTHON, 3, 90, ORDERS, LIVE),
            AppImage("1.6.0", PYTHON, 2, 55, ORDERS, LIVE),
            AppImage("1.7.2", PYTHON, 1, 25, ORDERS, LIVE),
            AppImage("1.8.0", PYTHON, 0, 6, ORDERS, LIVE),
            # Two that are there to be refused: another architecture, and an index instead of an image.
            AppImage("1.8.0-arm64", PYTHON, 0, 6, ORDERS, architectures=("arm64",)),
            AppImage("1.8.0-multi", PYTHON, 0, 6, ORDERS, architectures=("amd64", "arm64")),
            AppImage("1.9.0-rc1", PYTHON, 0, 2, ORDERS, ("main", "next"), flavour="docker"),
        ),
    ),
    Repository(
        PRODUCTION,
        EUROPE,
        "billing/documents",
        (
            AppImage("2.1.0", PYTHON_OLD, 1, 280, DOCUMENTS, LIVE, flavour="docker"),
            AppImage("2.2.0", PYTHON_OLD, 0, 240, DOCUMENTS, LIVE, flavour="docker"),
            AppImage("2.3.0", PYTHON_OLD, 0, 205, DOCUMENTS, deleted=True),
            AppImage("3.0.0", PYTHON, 1, 30, DOCUMENTS, LIVE, added="pinned boto3"),
            AppImage("3.1.0", PYTHON, 0, 5, DOCUMENTS, LIVE),
        ),
    ),
    Repository(
        PRODUCTION,
        EUROPE,
        "platform/tools",
        (
            AppImage("1.0.0", PYTHON, 3, 92, TOOLS, LIVE, added="company certificates"),
            AppImage("0.9.4-slim", FOREIGN, 0, 70, TOOLS),
            AppImage("1.0.1", PYTHON, 1, 20, TOOLS, LIVE),
            AppImage("1.1.0", PYTHON, 0, 7, TOOLS, LIVE),
        ),
    ),
    Repository(
        PRODUCTION,
        AMERICA,
        "media/pipeline",
        (
            AppImage("thumbs-4.0.0", NODE, 3, 84, THUMBNAILS, ("thumbs-live",)),
            AppImage("probe-0.8.0", PROVIDED, 1, 27, PROBE, ("probe-live",)),
            AppImage("probe-0.8.5-arm", PROVIDED, 1, 26, PROBE, architectures=("arm64",)),
            AppImage("thumbs-4.1.0", NODE, 1, 22, THUMBNAILS, ("thumbs-live",)),
            AppImage("probe-0.9.0", PROVIDED, 0, 10, PROBE, ("probe-live",)),
            AppImage("thumbs-4.2.0", NODE, 0, 4, THUMBNAILS, ("thumbs-live",)),
        ),
    ),
    Repository(
        STAGING,
        EUROPE,
        "shop/orders",
        (
            AppImage("1.7.2", PYTHON, 1, 26, ORDERS, LIVE),
            AppImage("1.8.0", PYTHON, 0, 7, ORDERS, LIVE),
            AppImage("1.9.0-rc1", PYTHON, 0, 3, ORDERS, LIVE),
        ),
    ),
    Repository(
        STAGING,
        AMERICA,
        "media/pipeline",
        (
            AppImage("probe-0.7.0", PROVIDED, 3, 86, PROBE),
            AppImage("thumbs-4.1.0", NODE, 1, 23, THUMBNAILS, ("thumbs-live",)),
            AppImage("probe-0.9.0", PROVIDED, 0, 10, PROBE, ("probe-live",)),
            AppImage("thumbs-4.3.0-beta", NODE, 0, 1, THUMBNAILS, ("thumbs-live",)),
        ),
    ),
    Repository(
        PRODUCTION,
        EUROPE,
        "shop/catalog",
        (
            AppImage("0.8.0", GOLDEN, 2, 78, CATALOG, LIVE),
            AppImage("0.9.0", GOLDEN, 1, 44, CATALOG, LIVE),
            AppImage("1.0.0", GOLDEN, 0, 14, CATALOG, LIVE),
        ),
    ),
    Repository(
        STAGING,
        EUROPE,
        "shop/catalog",
        (
            AppImage("0.9.0", GOLDEN, 1, 46, CATALOG, LIVE),
            AppImage("1.0.0", GOLDEN, 0, 16, CATALOG, LIVE),
            AppImage("1.1.0-rc1", GOLDEN, 0, 3, CATALOG, LIVE),
        ),
    ),
)
