"""A base that moves from one release of its stream to another, and what becomes of its packages."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from functions_app.domain.rebase.safety.findings import Verdict

PACKAGES = 200  # changes among the base's packages that a plan names; of the others it tells how many there are


@dataclass(frozen=True)
class BaseMove:
    """From one release of a stream to its current one. References are HOST/NAME@DIGEST of the image for the platform.

    `releases` is how far forward that is; `index_digest` that of the new release's index, "" where it is in none;
    `released` when it came about.
    """

    stream: str
    stream_id: int
    platform: str
    from_release_id: int
    from_label: str
    from_reference: str
    to_release_id: int
    to_label: str
    to_reference: str
    to_name: str  # HOST/NAME:TAG, which the result says that it stands on
    index_digest: str
    released: datetime
    releases: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {**asdict(self), "released": self.released.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "BaseMove":
        """Read what `as_json` wrote."""
        return cls(**{**value, "released": datetime.fromisoformat(value["released"])})


@dataclass(frozen=True)
class PackageMove:
    """A package of the base that comes, goes or changes: its versions before and after, "" for none."""

    kind: str
    name: str
    before: str
    after: str


class RebasePlan(Protocol):
    """An image that is to be rebased: the function's, or the golden image beneath it."""

    @property
    def app_image(self) -> str:
        """What is rebased, HOST/NAME@DIGEST."""

    @property
    def app_tag(self) -> str:
        """Its tag, '' for none."""

    @property
    def image_uri(self) -> str:
        """The result, HOST/NAME@DIGEST."""

    @property
    def to_digest(self) -> str:
        """Of the result."""

    @property
    def tag(self) -> str:
        """What names the result."""

    @property
    def base(self) -> BaseMove:
        """Where its base goes."""

    @property
    def verdict(self) -> Verdict:
        """How safe that is."""
