"""Deployments and rollbacks: the frozen plans, and the sentences that say what they do and how it is undone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.judgements import Judgement, Level, of_checks
from functions_app.domain.changes.production import ProductionAliases
from functions_app.domain.changes.ways_back import ordinal
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check


@dataclass(frozen=True, kw_only=True)
class AliasPlan:
    """What deployments and rollbacks share: an alias of a function goes from one state to one version."""

    place: FunctionPlace
    alias: str
    before: AliasState
    before_digest: str  # of the version that has most of the alias's calls; '' if there is none
    to_digest: str
    image: str  # what to_digest is called: repository:tag, or repository@digest
    checks: tuple[Check, ...]
    managed_by: str
    owner: str
    production: bool  # the alias carries production traffic, by the setting when it was planned
    judgement: Judgement

    @property
    def confirm(self) -> str:
        """What has to be typed to confirm: the name of an alias that carries production traffic, else ''."""
        return self.alias if self.production else ""

    @property
    def if_it_fails(self) -> str:
        """What Drydock does by itself where the check after the change fails."""
        if not self.before.exists:
            return f"If the check after the change fails, Drydock removes {self.alias} again by itself."
        return f"If the check after the change fails, Drydock puts {self.alias} back to {self.before} by itself."

    @property
    def move(self) -> AliasMove:
        """What its steps do with the alias."""
        return self._move(self.image)

    def _move(self, uri: str, *, new_latest: bool = False) -> AliasMove:
        return AliasMove(
            place=self.place,
            alias=self.alias,
            before=self.before,
            to_digest=self.to_digest,
            uri=uri,
            new_latest=new_latest,
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class CodeChange:
    """What the steps need of a plan that gives a function another image: from which digest of $LATEST to which."""

    place: FunctionPlace
    image_uri: str  # HOST/NAME@sha256:...: what is deployed
    from_digest: str  # what $LATEST runs
    to_digest: str
    function_revision: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "CodeChange":
        """Read it from the body of a plan; other keys are left aside."""
        plain = ("image_uri", "from_digest", "to_digest", "function_revision")
        return cls(place=FunctionPlace(**value["place"]), **{name: value[name] for name in plain})


@dataclass(frozen=True, kw_only=True)
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

    @property
    def move(self) -> AliasMove:
        """To the version that is published from what Lambda is given."""
        return self._move(self.image_uri, new_latest=True)

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
            "Read it back: compare the digest, and see that ECR still has the image.",
        )

    def undo(self) -> str:
        """How it is undone."""
        kept = "" if self.to_digest == self.from_digest else " $LATEST keeps the new image."
        return f"{_way_back(self)} {self.if_it_fails}{kept}"


@dataclass(frozen=True, kw_only=True)
class RollbackPlan(AliasPlan):
    """An alias goes to a version there is: back to one of before, or forward to a newer one."""

    to_version: str
    forward: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "RollbackPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        return cls(**_shared(value), to_version=value["to_version"], forward=bool(value.get("forward", False)))

    @property
    def direction(self) -> str:
        """Back or forward."""
        return "forward" if self.forward else "back"

    @property
    def title(self) -> str:
        """What it does, in one line."""
        return f"Roll {self.place.name}:{self.alias} {self.direction} to version {self.to_version}"

    def steps(self) -> tuple[str, ...]:
        """What will happen, in order."""
        weights = ", and end the split of its traffic" if self.before.second_version else ""
        return (
            "Check that nothing was changed since this plan, and that the image can still be pulled.",
            f"Point {self.alias} from {self.before} to version {self.to_version}{weights}.",
            "Read it back: compare the digest, and see that ECR still has the image.",
        )

    def undo(self) -> str:
        """How it is undone."""
        return f"{_way_back(self)} {self.if_it_fails} $LATEST is not touched."


def is_forward(before: AliasState, number: str) -> bool:
    """Whether going to this version is going forward: it is newer than all that the alias runs now."""
    return all(version.isdecimal() and ordinal(number) > ordinal(version) for version in before.shares())


def _way_back(plan: AliasPlan) -> str:
    back = plan.judgement.way_back
    return back.text if back else f"Roll {plan.alias} to {plan.before}."


def _shared(value: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("alias", "before_digest", "to_digest", "image", "managed_by", "owner")
    checks = tuple(Check(**check) for check in value["checks"])
    judged = value.get("judgement")  # not before an upgrade: then the checks are all there is to say
    return {
        **{name: value[name] for name in plain},
        "place": FunctionPlace(**value["place"]),
        "before": AliasState(**value["before"]),
        "checks": checks,
        "production": bool(value.get("production", ProductionAliases().include(value["alias"]))),
        "judgement": Judgement.from_json(judged) if judged else of_an_older_plan(checks),
    }


def of_an_older_plan(checks: Sequence[Check]) -> Judgement:
    """What remains to say of a plan that was made before Drydock judged plans."""
    remarks, fine = tuple(of_checks(checks)), tuple(check for check in checks if check.ok)
    return Judgement("Planned before Drydock was upgraded: not compared.", Level.MIND, remarks, fine)


def image_name(image: str, tags: Sequence[str] = ()) -> str:
    """An image as a title names it: repository:tag, or repository@ and 12 digits with the tags that name it."""
    name = image.partition("/")[2] or image
    repository, _, digest = name.partition("@")
    beside = f" ({', '.join(tags)})" if tags else ""
    return f"{repository}@{short(digest)}{beside}" if digest else name


def short(digest: str) -> str:
    """The first 12 characters of a digest's hex, as people read it."""
    return digest.removeprefix("sha256:")[:12]
