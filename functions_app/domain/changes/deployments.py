"""Deployments and rollbacks: the frozen plans, and the sentences that say what they do and how it is undone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.changes.aliases import AliasState, is_production
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check


@dataclass(frozen=True)
class AliasPlan:
    """What deployments and rollbacks share: an alias of a function goes from one state to one version."""

    place: FunctionPlace
    alias: str
    before: AliasState
    before_digest: str  # of the version the alias points to; '' if there is none
    to_digest: str
    image: str  # what to_digest is called: repository:tag, or repository@digest
    checks: tuple[Check, ...]
    managed_by: str
    owner: str

    @property
    def confirm(self) -> str:
        """What has to be typed to confirm: the name of a production-like alias, else ''."""
        return self.alias if is_production(self.alias) else ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        return asdict(self)


@dataclass(frozen=True)
class DeploymentPlan(AliasPlan):
    """A new image for a function, and an alias that goes to the version published from it."""

    image_uri: str  # HOST/NAME@sha256:...: what is deployed
    from_digest: str  # what $LATEST runs
    function_revision: str
    tags: tuple[str, ...] = ()  # that named an image chosen by digest when it was planned: only to be read

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "DeploymentPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        return cls(
            **_shared(value),
            **{name: value[name] for name in ("image_uri", "from_digest", "function_revision")},
            tags=tuple(value.get("tags", ())),
        )

    @property
    def title(self) -> str:
        """What it does, in one line."""
        return f"Deploy {image_name(self.image, self.tags)} to {self.place.name}:{self.alias}"

    def steps(self) -> tuple[str, ...]:
        """What will happen, in order, as shown before it is confirmed."""
        same = "is already what $LATEST runs; nothing is uploaded" if self.to_digest == self.from_digest else ""
        update = (
            f"{short(self.to_digest)} {same}." if same else f"Update the code of {self.place.name} to {self.image_uri}."
        )
        moves = f"Point {self.alias} from {self.before} to it" if self.before.exists else f"Create {self.alias} on it"
        weights = ", and end the split of its traffic" if self.before.second_version else ""
        return (
            "Check that nothing was changed since this plan.",
            update,
            "Wait until Lambda has taken the image; stop if it refuses it.",
            "Publish a version, and wait until it can be called.",
            f"{moves}{weights}.",
            "Read it back and compare the digest.",
        )

    def undo(self) -> str:
        """How it is undone."""
        if not self.before.exists:
            return f"{self.alias} is new: delete it in Lambda to undo. The published version stays."
        return (
            f"Roll {self.alias} back to {self.before}. If the check after the change fails, Drydock does that "
            "by itself. $LATEST keeps the new image."
        )


@dataclass(frozen=True)
class RollbackPlan(AliasPlan):
    """An alias goes back to a version that was live before."""

    to_version: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "RollbackPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        return cls(**_shared(value), to_version=value["to_version"])

    @property
    def title(self) -> str:
        """What it does, in one line."""
        return f"Roll {self.place.name}:{self.alias} back to version {self.to_version}"

    def steps(self) -> tuple[str, ...]:
        """What will happen, in order."""
        weights = ", and end the split of its traffic" if self.before.second_version else ""
        return (
            "Check that nothing was changed since this plan, and that the image can still be pulled.",
            f"Point {self.alias} from {self.before} to version {self.to_version}{weights}.",
            "Read it back and compare the digest.",
        )

    def undo(self) -> str:
        """How it is undone."""
        return f"Roll {self.alias} to {self.before} in the same way. $LATEST is not touched."


def _shared(value: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("alias", "before_digest", "to_digest", "image", "managed_by", "owner")
    return {
        **{name: value[name] for name in plain},
        "place": FunctionPlace(**value["place"]),
        "before": AliasState(**value["before"]),
        "checks": tuple(Check(**check) for check in value["checks"]),
    }


def image_name(image: str, tags: Sequence[str] = ()) -> str:
    """An image as a title names it: repository:tag, or repository@ and 12 digits with the tags that name it."""
    name = image.partition("/")[2] or image
    repository, _, digest = name.partition("@")
    beside = f" ({', '.join(tags)})" if tags else ""
    return f"{repository}@{short(digest)}{beside}" if digest else name


def short(digest: str) -> str:
    """The first 12 characters of a digest's hex, as people read it."""
    return digest.removeprefix("sha256:")[:12]
