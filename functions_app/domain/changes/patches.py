"""One function goes onto the current release of its base: the frozen plan, its steps and undo in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.base_changes import counted
from functions_app.domain.changes.checks import forbidding
from functions_app.domain.changes.configurations import Difference
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.changes.judgements import Judgement
from functions_app.domain.changes.latest_kept import GIVE_BACK, LatestKept, lend
from functions_app.domain.changes.patch_calls import lent_calls, patch_calls
from functions_app.domain.changes.patched_aliases import Patched
from functions_app.domain.changes.smokes import Smoke
from functions_app.domain.fleet.functions import LATEST, FunctionPlace
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.rebase.safety.findings import Level as Safety
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
class PatchPlan:
    """A function's image on the current release of its base, and the aliases that go to the version made of it.

    `app_image` is what is rebased, `image_uri` the result, both HOST/NAME@DIGEST; `tag` names the result. `from_digest`
    is what $LATEST runs. No aliases: the function has none, so that the update itself is the shift. `differs` is what
    $LATEST has otherwise than what is live; `kept`, that it is left so.
    """

    place: FunctionPlace
    app_image: str
    app_tag: str
    image_uri: str
    to_digest: str
    tag: str
    from_digest: str
    function_revision: str
    base: BaseMove
    aliases: tuple[Patched, ...]
    kept_layers: int
    base_layers: int
    verdict: Verdict
    notes: tuple[str, ...]
    packages: tuple[PackageMove, ...]
    more_packages: int
    checks: tuple[Check, ...]
    judgement: Judgement
    managed_by: str
    owner: str
    smoke: Smoke | None = None
    differs: tuple[Difference, ...] = ()
    kept: LatestKept | None = None

    @property
    def may_keep_latest(self) -> bool:
        """Whether it could be planned so that $LATEST is left as it is: nothing else forbids it."""
        only = all(check.name == LATEST for check in forbidding(self.checks))
        return bool(only and self.differs and self.aliases and self.kept is None)

    @property
    def code(self) -> CodeChange:
        """What the steps that change code need of it."""
        return CodeChange(
            place=self.place,
            image_uri=self.image_uri,
            from_digest=self.from_digest,
            to_digest=self.to_digest,
            function_revision=self.function_revision,
        )

    @property
    def moves(self) -> tuple[AliasMove, ...]:
        """What its steps do with the aliases."""
        return tuple(
            AliasMove(
                place=self.place,
                alias=one.alias,
                before=one.before,
                to_digest=self.to_digest,
                uri=self.image_uri,
                new_latest=True,
            )
            for one in self.aliases
        )

    @property
    def repository(self) -> str:
        """HOST/NAME that the result is pushed to."""
        return self.image_uri.partition("@")[0]

    @property
    def app_digest(self) -> str:
        """The digest of the image that is rebased."""
        return self.app_image.partition("@")[2]

    @property
    def packages_total(self) -> int:
        """How many of the base's packages change."""
        return len(self.packages) + self.more_packages

    @property
    def calls(self) -> int:
        """How often it calls Lambda and ECR, where nothing has to be waited for."""
        count, smoke = len(self.aliases), self.smoke is not None
        if self.kept is None:
            return sum(patch_calls(count, smoke=smoke).values())
        changed = {
            "image": self.from_digest != self.to_digest,
            "settings": any(r.name != "Image" for r in self.differs),
        }
        return sum(lent_calls(count, smoke=smoke, **changed).values())

    @property
    def named(self) -> str:
        """The aliases in words."""
        return ", ".join(one.alias for one in self.aliases) or f"{self.place.name}, which has no alias"

    @property
    def title(self) -> str:
        """What it does, in one line."""
        which = f":{','.join(one.alias for one in self.aliases)}" if self.aliases else ""
        return f"Patch {self.place.name}{which} onto {self.base.stream} {self.base.to_label}"

    @property
    def confirm(self) -> str:
        """What has to be typed: the names of the aliases that carry production traffic, else ''."""
        return ", ".join(one.alias for one in self.aliases if one.production)

    def steps(self) -> tuple[str, ...]:
        """What will happen, in order, as shown before it is confirmed."""
        name = self.place.name
        first = (
            "Check that nothing was changed since this plan, and that the base release still stands.",
            f"Put the {counted(self.kept_layers, 'layer')} of its own upon the {counted(self.base_layers, 'layer')} of "
            f"{self.base.stream} {self.base.to_label}, and push that as {self.tag}: what the registry has is not sent.",
            f"See that ECR gives it by its digest {short(self.to_digest)}, and put a statement beside it.",
        )
        if not self.aliases:
            return (
                *first,
                f"Publish what $LATEST is now: the way back, since {name} has no alias.",
                f"Update the code of {name}: calls run the new image at once. If Lambda refuses it, put back what was.",
                *(
                    (f"Call it once at once: {self.smoke.expects}. If it is otherwise, put back what was.",)
                    if self.smoke
                    else ()
                ),
                "Read it back: compare the digest.",
            )
        update = f"Update the code of {name}; no alias runs it yet. Wait until Lambda has taken the image."
        return (
            *first,
            *(lend(name, self.kept, self.to_digest) if self.kept else (update,)),
            "Publish a version, and wait until it can be called.",
            *(
                (f"Call it once before any traffic: {self.smoke.expects}. Stop if it is otherwise.",)
                if self.smoke
                else ()
            ),
            *(f"Point {one.alias} from {one.before} to {one.goes_to}." for one in self.aliases),
            "Read back and compare the digests; put every alias and $LATEST back if one is not as planned.",
            *((GIVE_BACK,) if self.kept else ()),
        )

    def undo(self) -> str:
        """How it is undone."""
        if not self.aliases:
            return "Undo gives $LATEST the image of before; it is published as a version first."
        back = "; ".join(f"{one.alias} to {one.before}" for one in self.aliases)
        latest = "$LATEST is not touched" if self.kept else f"$LATEST to {short(self.from_digest)}"
        return f"Undo, one click on the run and the function: {back}, and {latest}."

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        own = {"base": self.base.as_json(), "verdict": self.verdict.as_json(), "judgement": self.judgement.as_json()}
        return {**asdict(self), **own, "title": self.title}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PatchPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        return cls(
            **{name: value[name] for name in _PLAIN},
            place=FunctionPlace(**value["place"]),
            base=BaseMove.from_json(value["base"]),
            aliases=tuple(map(Patched.from_json, value["aliases"])),
            verdict=Verdict.from_json(value["verdict"]),
            notes=tuple(value["notes"]),
            packages=tuple(PackageMove(**one) for one in value["packages"]),
            checks=tuple(Check(**one) for one in value["checks"]),
            judgement=Judgement.from_json(value["judgement"]),
            smoke=Smoke.from_json(value["smoke"]) if value.get("smoke") else None,
            differs=tuple(Difference(**row) for row in value.get("differs", ())),
            kept=LatestKept.from_json(value["kept"]) if value.get("kept") else None,
        )


_PLAIN = (
    "app_image", "app_tag", "image_uri", "to_digest", "tag", "from_digest", "function_revision", "kept_layers",
    "base_layers", "more_packages", "managed_by", "owner",
)  # fmt: skip


def verdict_sentence(safety: Safety, stream: str, releases: int, kept_layers: int) -> str:
    """The first line of a plan: how safe it is, how far the base moves, what stays."""
    far = f"moves {counted(releases, 'release')} forward" if releases else "moves to its current release"
    stays = "your one layer stays" if kept_layers == 1 else f"your {counted(kept_layers, 'layer')} stay"
    ends = {
        Safety.SAFE: f"{stays} byte for byte.",
        Safety.REVIEW: f"{stays} byte for byte, and somebody should look at what was found first.",
        Safety.UNSAFE: "your layers would not work on it as they are: build the image anew.",
    }
    return f"{safety.upper()}: {stream} {far}; {ends[safety]}"


def review_sentence(verdict: Verdict) -> str:
    """What an operator ticks who has looked at the findings of a REVIEW."""
    kinds = [finding.rule.sentence.rstrip(".") for finding in verdict.findings]
    return f"I looked at what was found ({'; '.join(dict.fromkeys(kinds))}), and it may go on."


def safety_check(verdict: Verdict) -> Check:
    """The verdict among the checks of a plan: UNSAFE forbids it."""
    if verdict.level is Safety.SAFE:
        return Check("Safety", True, "Nothing was found in your layers that the new base would break.")
    told = " ".join(
        f"{finding.rule.sentence} {_paths(finding.paths, finding.count)}".strip() for finding in _worst(verdict)
    )
    return Check("Safety", False if verdict.level is Safety.UNSAFE else None, told)


def _worst(verdict: Verdict) -> Sequence[Any]:
    return [finding for finding in verdict.findings if finding.level is verdict.level]


def _paths(paths: Sequence[str], count: int) -> str:
    shown = ", ".join(f"/{path}" for path in paths[:3])
    more = f" and {count - 3} more" if count > 3 else ""
    return f"({shown}{more})" if shown else ""
