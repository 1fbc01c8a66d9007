"""A base that moves from one release of its stream to another, and the rebase of an image onto it, as plans keep it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from functions_app.domain.ecr_hosts import account_of
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


@dataclass(frozen=True, kw_only=True)
class RebasePlan:
    """An image that is to be rebased, and what comes of it: the function's, or a golden image beneath it.

    `app_image` is what is rebased, `image_uri` the result, both HOST/NAME@DIGEST; `tag` names the result.
    """

    app_image: str
    app_tag: str  # "" for none
    image_uri: str
    to_digest: str
    tag: str
    base: BaseMove
    kept_layers: int
    base_layers: int
    verdict: Verdict
    notes: tuple[str, ...]
    packages: tuple[PackageMove, ...]
    more_packages: int

    @property
    def repository(self) -> str:
        """HOST/NAME that the result is pushed to."""
        return self.image_uri.partition("@")[0]

    @property
    def account(self) -> str:
        """The number of the account that has this repository."""
        return account_of(self.image_uri.partition("/")[0])

    @property
    def app_digest(self) -> str:
        """The digest of the image that is rebased."""
        return self.app_image.partition("@")[2]

    @property
    def packages_total(self) -> int:
        """How many of its base's packages change."""
        return len(self.packages) + self.more_packages

    def as_json(self) -> dict[str, Any]:
        """Plain values; `parts` reads what is of every rebase back."""
        return {**asdict(self), "base": self.base.as_json(), "verdict": self.verdict.as_json()}

    @staticmethod
    def parts(value: Mapping[str, Any]) -> dict[str, Any]:
        """What every rebase is made of, out of what `as_json` wrote; other keys are left aside."""
        return {
            **{field.name: value[field.name] for field in fields(RebasePlan)},
            "base": BaseMove.from_json(value["base"]),
            "verdict": Verdict.from_json(value["verdict"]),
            "notes": tuple(value["notes"]),
            "packages": tuple(PackageMove(**one) for one in value["packages"]),
        }
