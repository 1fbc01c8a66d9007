"""Deployments and rollbacks: the frozen plan, the checks before it, and what each step decides. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import AliasFact, FunctionDetail
from functions_app.domain.images.lambda_rules import Check

PRODUCTION = frozenset({"live", "prod", "production"})
ALIAS_NAME = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9_-]{1,128}")  # CreateAlias, parameter Name
ECR_HOST = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Place:
    """Where a function is."""

    arn: str
    name: str
    account_id: str
    region: str


@dataclass(frozen=True)
class AliasState:
    """Where an alias points; an empty version: there is no such alias. The weight is the second version's, 0 to 1."""

    version: str = ""
    second_version: str = ""
    second_weight: float = 0.0
    revision_id: str = ""

    @classmethod
    def of(cls, fact: AliasFact | None) -> "AliasState":
        """The state in what Lambda told."""
        if fact is None:
            return cls()
        return cls(fact.version, fact.second_version, fact.second_weight, fact.revision_id)

    @property
    def exists(self) -> bool:
        """Whether there is such an alias."""
        return bool(self.version)

    def routes_like(self, other: "AliasState") -> bool:
        """Whether both send the same share of calls to the same versions (revisions may differ)."""
        return self.shares() == other.shares()

    def shares(self) -> dict[str, float]:
        """Version -> share of the calls, those without any left out."""
        if not self.second_version or self.second_weight <= 0:
            return {self.version: 1.0} if self.version else {}
        rest = {self.version: round(1 - self.second_weight, 6)} if self.second_weight < 1 else {}
        return {**rest, self.second_version: round(self.second_weight, 6)}

    def __str__(self) -> str:
        if not self.exists:
            return "nothing"
        return " and ".join(
            f"version {version}" if share == 1 else f"version {version} ({share * 100:g} %)"
            for version, share in self.shares().items()
        )


@dataclass(frozen=True)
class AliasPlan:
    """What deployments and rollbacks share: an alias of a function goes from one state to one version."""

    place: Place
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
    def rollback_target(self) -> str:
        """The version the alias goes back to; '' where there was no alias."""
        return self.before.version

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
        "place": Place(**value["place"]),
        "before": AliasState(**value["before"]),
        "checks": tuple(Check(**check) for check in value["checks"]),
    }


def short(digest: str) -> str:
    """The first 12 characters of a digest's hex, as people read it."""
    return digest.removeprefix("sha256:")[:12]


def is_production(alias: str) -> bool:
    """Whether an alias carries production traffic, by its name: live, prod-eu, blue_production."""
    return bool(PRODUCTION & set(re.split(r"[-_]", alias.lower())))


def check_alias_name(text: str) -> str:
    """The alias name, trimmed. Raises INVALID where Lambda would refuse it."""
    name = text.strip()
    if not ALIAS_NAME.fullmatch(name):
        raise DrydockError(
            Code.INVALID,
            f"{name!r} can't be the name of an alias." if name else "Choose an alias, or name a new one.",
            next_step="Use 1 to 128 letters, digits, - and _, not digits alone.",
        )
    return name


def check_confirmation(expected: str, typed: str) -> None:
    """Raise INVALID unless the name that had to be typed was."""
    if expected and typed.strip() != expected:
        given = f"you typed {typed.strip()!r}" if typed.strip() else "nothing was typed"
        raise DrydockError(
            Code.INVALID,
            f"To confirm, type the name of the alias, {expected!r}: {given}. Nothing was changed.",
            next_step="Type it exactly and confirm again; the plan is still valid.",
        )


def refuse_blocked(checks: Iterable[Check]) -> None:
    """Raise PREFLIGHT naming every check that forbids the change."""
    if failed := [check for check in checks if check.ok is False]:
        raise DrydockError(
            Code.PREFLIGHT,
            " ".join(check.text for check in failed),
            next_step="Nothing was changed. Remove the cause, then plan again.",
        )


def place_check(host: str, place: Place) -> Check:
    """Lambda pulls from ECR in its own region only."""
    match = ECR_HOST.fullmatch(host)
    if match is None:
        return Check("Region", False, f"{host} is not an ECR registry; Lambda pulls from ECR alone.")
    if match["region"] != place.region:
        return Check("Region", False, f"The image is in {match['region']}, the function in {place.region}.")
    return Check("Region", True, f"Image and function are in {place.region}.")


def state_checks(detail: FunctionDetail) -> tuple[Check, ...]:
    """Whether Lambda would take a change now."""
    checks = []
    if detail.state == "Pending":
        checks.append(Check("State", False, "The function is Pending: Lambda is still preparing it. Try again soon."))
    elif detail.last_update_status == "InProgress":
        checks.append(Check("State", False, "An update of the function is InProgress. Wait until it has ended."))
    elif detail.state == "Failed":
        reason = detail.state_reason_code or detail.state_reason or "no reason given"
        checks.append(Check("State", None, f"The function is Failed ({reason}); a new image can mend it."))
    elif detail.state == "Inactive":
        checks.append(Check("State", None, "The function is Inactive; the update wakes it, which takes longer."))
    else:
        checks.append(Check("State", True, f"The function is {detail.state or 'Active'}, no update in progress."))
    if detail.last_update_status == "Failed":
        reason = detail.last_update_reason or detail.last_update_reason_code
        checks.append(Check("Last update", None, f"The last update failed: {reason}"))
    return tuple(checks)


def ownership_check(managed_by: str, owner: str) -> Check:
    """A function that a tool manages drifts when it is changed here."""
    if not managed_by:
        return Check("Ownership", True, f"No tool manages it by its tags{f'; owner {owner}' if owner else ''}.")
    return Check("Ownership", None, f"{managed_by} manages this function: its next run may undo this change.")


def alias_check(alias: str, before: AliasState) -> Check:
    """What happens to the alias, and to weights left on it."""
    if not before.exists:
        return Check("Alias", True, f"{alias} does not exist yet; it is made.")
    if before.second_version:
        return Check("Alias", None, f"{alias} is split: {before}. All of its traffic goes to the new version.")
    return Check("Alias", True, f"{alias} points to {before}.")


def managed_by(tags: Mapping[str, str]) -> str:
    """Who else manages a function, by its tags: terraform, cloudformation, serverless or ''."""
    lower = {name.lower(): value.lower() for name, value in tags.items()}
    if any(name.startswith("aws:cloudformation:") for name in lower):
        return "cloudformation"
    told = " ".join(lower.get(name, "") for name in ("managed-by", "managedby", "managed_by", "provisioner"))
    for tool in ("terraform", "cloudformation", "serverless"):
        if tool in told or tool in lower:
            return tool
    return ""


def changed_message(what: str) -> DrydockError:
    """Somebody else was quicker: code CHANGED."""
    return DrydockError(
        Code.CHANGED,
        f"Someone changed {what} after this plan was made.",
        next_step="Reload and review, then plan again.",
    )
