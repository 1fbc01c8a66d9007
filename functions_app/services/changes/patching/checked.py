"""What a plan of a patch was made from: read, checked and judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.domain.changes import checks
from functions_app.domain.changes.base_changes import Base
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.judgements import Judgement, Level, Remark, Running
from functions_app.domain.changes.patching.golden import GoldenPatch
from functions_app.domain.changes.patching.latest_kept import may_be_kept
from functions_app.domain.changes.patching.patch_verdicts import golden_sentence, safety_check, verdict_sentence
from functions_app.domain.changes.patching.patched_aliases import Patched, split_check
from functions_app.domain.changes.planned_ways_back import Held, PlannedWayBack
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, FunctionDetail, FunctionPlace
from functions_app.domain.images.lambda_rules import Check, Overrides, lambda_rules
from functions_app.domain.images.manifests import parse_config, parse_manifest
from functions_app.domain.rebase.safety.findings import Level as Safety
from functions_app.models import Account, Function
from functions_app.services.changes import alias_plans
from functions_app.services.changes.alias_plans import AliasRead
from functions_app.services.changes.patching.latest import Latest
from functions_app.services.changes.patching.rebasing import Rebased
from functions_app.services.changes.patching.targets import PatchTarget
from functions_app.services.people import accounts


@dataclass(frozen=True)
class Read:
    """What AWS says now of the function and of every alias that is to move; each alias read against $LATEST."""

    each: tuple[tuple[str, AliasRead], ...]

    @property
    def latest(self) -> FunctionDetail:
        return self.each[0][1].goal

    @property
    def versions(self) -> VersionsRead:
        """$LATEST and what is live, compared."""
        return self.each[0][1].versions

    def against(self, beside: Latest) -> "Read":
        """The same, with what is live compared with what will be published."""
        versions = replace(self.versions, comparisons={**self.versions.comparisons, **beside.comparisons})
        return Read(tuple((name, replace(read, versions=versions)) for name, read in self.each))

    def aliases(self, account: Account) -> tuple[Patched, ...]:
        production, each = accounts.production(account), [one for one in self.each if one[0] != LATEST]
        return tuple(_patched(name, read, production=production.include(name)) for name, read in each)


def _patched(name: str, read: AliasRead, *, production: bool) -> Patched:
    runs = read.alias.runs
    return Patched(name, read.before, runs[0].digest if runs else "", production, tuple(run.version for run in runs))


@dataclass(frozen=True)
class Checked:
    """What was read, checked and judged."""

    function: Function
    place: FunctionPlace
    target: PatchTarget
    read: Read
    beside: Latest
    made: Rebased
    lifecycle: tuple[Check, ...]
    golden: tuple[GoldenPatch, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What forbids it or is to be minded, each once."""
        latest = self.read.latest
        found = [
            *(safety_check(one.verdict, one.name) for one in self.golden),
            safety_check(self.made.plan.verdict),
            *self._of_result(),
            checks.place_check(self.target.image.repository.uri.partition("/")[0], self.place),
            *checks.state_checks(latest, uploads=True),
            *self.beside.checks,
            *self.lifecycle,
        ]
        found += alias_plans.common_checks(self.function, latest)
        found += [self._of_alias(name, read) for name, read in self.read.each if name != LATEST]
        if not self.target.aliases and latest.is_managed_latest:
            text = f"Calls without an alias reach {PUBLISHED_LATEST}, which a patch does not move."
            found.append(Check("Managed Instances", False, f"{text} Make an alias for its callers, then patch."))
        return tuple(dict.fromkeys(found))

    @property
    def safety(self) -> Safety:
        """The worse of all verdicts."""
        levels = [self.made.plan.verdict.level, *(one.verdict.level for one in self.golden)]
        return max(levels, key=list(Safety).index)

    def _of_result(self) -> tuple[Check, ...]:
        """Lambda's rules for what will be pushed."""
        result, fact = self.made.images.result, self.beside.shipped.fact
        return lambda_rules(
            parse_manifest(result.manifest, result.media_type),
            parse_config(result.config),
            architecture=fact.architecture,
            size_bytes=result.config_descriptor.size + sum(layer.descriptor.size for layer in result.layers),
            overrides=Overrides(fact.entrypoint, fact.command),
        )

    def _of_alias(self, name: str, read: AliasRead) -> Check:
        """An alias on $LATEST, or that runs only other images by now, is not what is patched."""
        if LATEST in read.before.shares():
            text = f"{name} points to $LATEST: its calls would run the new image before any check."
            return Check("Alias", False, f"{text} Publish a version and point {name} to it first.")
        if others := [run.digest for run in read.alias.runs if run.digest != self.target.digest]:
            text = f"{name} runs {short(others[0])} now, not {short(self.target.digest)}, which would be patched."
            return Check("Alias", False, f"{text} Sync the function, then plan again.")
        return split_check(_patched(name, read, production=False))

    def judgement(self) -> Judgement:
        """The verdict on its safety first, then what deviates, of every alias once."""
        goal = self._goal()
        each = [
            alias_plans.judged(self.function, name, read, goal, self.checks if number == 0 else ())
            for number, (name, read) in enumerate(self.read.each)
        ]
        if not self.target.aliases:
            each[0] = _with_own_way_back(each[0])
        remarks = [*dict.fromkeys(remark for one in each for remark in one.remarks)]
        remarks = sorted((*remarks, *self._of_merge()), key=lambda remark: list(Level).index(remark.level))
        forbidden = bool(checks.forbidding(self.checks))
        keeps = may_be_kept(self.checks, self.beside.differs, self.target.aliases, self.beside.kept)
        told = forbidden and self.safety is not Safety.UNSAFE
        sentence = each[0].verdict if told else self._sentence()
        if keeps:
            sentence = f"It takes one more choice: {checks.reasons(self.checks)}"
        if not self.target.aliases and not forbidden:
            sentence = f"{sentence} It has no alias: its calls run the new image at once."
        return replace(
            each[0], verdict=sentence, level=Level.MIND if keeps else self._level(remarks), remarks=tuple(remarks)
        )

    def _sentence(self) -> str:
        kept = self.made.plan.kept_layers
        if self.golden:
            return golden_sentence(self.safety, self.golden, kept)
        move = self.made.plan.base
        return verdict_sentence(self.safety, move.stream, move.releases, kept)

    def _level(self, remarks: Sequence[Remark]) -> Level:
        """What is to be minded makes a SAFE patch no less safe; what is dangerous does."""
        if checks.forbidding(self.checks) or any(remark.level is Level.DANGER for remark in remarks):
            return Level.DANGER
        return Level.MIND if self.safety is Safety.REVIEW else Level.FINE

    def _goal(self) -> Running:
        move = self.made.plan.base
        base = Base(move.stream, move.to_release_id, move.to_label, "current")
        return Running("", self.made.plan.to_digest, self.made.plan.image_uri, base, held=Held.THERE)

    def _of_merge(self) -> Iterable[Remark]:
        for one in self.golden:
            yield from (Remark(Level.MIND, "Configuration", f"Golden image {one.name}: {note}") for note in one.notes)
        yield from (Remark(Level.MIND, "Configuration", note) for note in self.made.plan.notes)


def _with_own_way_back(judgement: Judgement) -> Judgement:
    """Without an alias the way back is made by the run itself."""
    kept = tuple(remark for remark in judgement.remarks if remark.name != "Way back")
    shift = Remark(
        Level.DANGER,
        "No alias",
        "Its calls run the new image as soon as the code is updated, before any check.",
    )
    back = PlannedWayBack("", True, "What $LATEST is now is published first, and undo gives it back.")
    return replace(judgement, remarks=(shift, *kept), way_back=back)
