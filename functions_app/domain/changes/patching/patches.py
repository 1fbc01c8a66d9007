"""One function goes onto the current release of its base: the frozen plan, its steps and undo in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.base_changes import counted
from functions_app.domain.changes.configurations import Difference
from functions_app.domain.changes.deployments import CodeChange, short
from functions_app.domain.changes.judgements import Judgement
from functions_app.domain.changes.patching.base_moves import RebasePlan
from functions_app.domain.changes.patching.golden import GoldenPatch, stays
from functions_app.domain.changes.patching.latest_kept import GIVE_BACK, LatestKept, lend, may_be_kept
from functions_app.domain.changes.patching.patch_calls import lent_calls, patch_calls
from functions_app.domain.changes.patching.patched_aliases import Patched
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.rebase.safety.findings import Verdict
from functions_app.domain.tokens import Beside


@dataclass(frozen=True, kw_only=True)
class PatchPlan(RebasePlan):
    """A function's image on the current release of its base, and the aliases that go to the version made of it.

    `from_digest` is what $LATEST runs. No aliases: the function has none, so that the update itself is the shift.
    `differs` is what $LATEST has otherwise than what is live; `kept`, that it is left so. `golden` are patched before
    it, in this order.
    """

    place: FunctionPlace
    from_digest: str
    function_revision: str
    aliases: tuple[Patched, ...]
    checks: tuple[Check, ...]
    judgement: Judgement
    managed_by: str
    owner: str
    smoke: Smoke | None = None
    differs: tuple[Difference, ...] = ()
    kept: LatestKept | None = None
    golden: tuple[GoldenPatch, ...] = ()

    @property
    def safety(self) -> Verdict:
        """The verdicts on all that is rebased as one: the worst level, all that was found."""
        verdicts = (*(one.verdict for one in self.golden), self.verdict)
        return Verdict.of(finding for verdict in verdicts for finding in verdict.findings)

    @property
    def may_keep_latest(self) -> bool:
        """Whether it could be planned so that $LATEST is left as it is: nothing else forbids it."""
        return may_be_kept(self.checks, self.differs, self.aliases, self.kept)

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
    def beside(self) -> tuple[Beside, ...]:
        """What it changes beside the function: the repository that it pushes to, and golden images, which are all's."""
        own = Beside(self.account, self.place.name, f"repository {self.repository.partition('/')[2]}")
        return own, *(one.beside for one in self.golden)

    @property
    def calls(self) -> int:
        """How often it calls Lambda and ECR, where nothing has to be waited for."""
        count, smoke, golden = len(self.aliases), self.smoke is not None, len(self.golden)
        pushed = len({self.repository, *(one.repository for one in self.golden if not one.there)})
        if self.kept is None:
            return sum(patch_calls(count, smoke=smoke, golden=golden, repositories=pushed).values())
        changed = {
            "image": self.from_digest != self.to_digest,
            "settings": any(r.name != "Image" for r in self.differs),
        }
        return sum(lent_calls(count, smoke=smoke, golden=golden, repositories=pushed, **changed).values())

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
        put = "Rebase this function's image: put" if self.golden else "Put"
        first = (
            "Check that nothing was changed since this plan, and that the base release still stands.",
            *(one.step for one in self.golden),
            f"{put} your {counted(self.kept_layers, 'layer')} upon the "
            f"{counted(self.base_layers, 'layer')} of {self.base.stream} {self.base.to_label}, and push that as "
            f"{self.tag}: what the registry has is not sent.",
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
            back = "Undo gives $LATEST the image of before; it is published as a version first."
            return f"{back} {stays(self.golden)}".rstrip()
        back = "; ".join(f"{one.alias} to {one.before}" for one in self.aliases)
        latest = "$LATEST is not touched" if self.kept else f"$LATEST to {short(self.from_digest)}"
        how = f"type {self.confirm} there" if self.confirm else "one click"
        told = f"Undo on the page of the run or of the function, {how}: {back}, and {latest}."
        return f"{told} {stays(self.golden)}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        golden = [one.as_json() for one in self.golden]
        return {**super().as_json(), "judgement": self.judgement.as_json(), "golden": golden, "title": self.title}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PatchPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        return cls(
            **cls.parts(value),
            **{name: value[name] for name in ("from_digest", "function_revision", "managed_by", "owner")},
            place=FunctionPlace(**value["place"]),
            aliases=tuple(map(Patched.from_json, value["aliases"])),
            checks=tuple(Check(**one) for one in value["checks"]),
            judgement=Judgement.from_json(value["judgement"]),
            smoke=Smoke.from_json(value["smoke"]) if value.get("smoke") else None,
            differs=tuple(Difference(**row) for row in value.get("differs", ())),
            kept=LatestKept.from_json(value["kept"]) if value.get("kept") else None,
            golden=tuple(map(GoldenPatch.from_json, value.get("golden", ()))),
        )
