"""Planning the patch of a function: AWS and the registries are read, nothing is changed, nothing is pushed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from functions_app.aws import lambda_comparisons
from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.aws.session import Target
from functions_app.domain.changes import checks
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.base_changes import Base
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.judgements import Judgement, Level, Remark, Running, Tick
from functions_app.domain.changes.latest_kept import callers_tick
from functions_app.domain.changes.patched_aliases import Patched, split_check
from functions_app.domain.changes.patches import (
    PACKAGES,
    BaseMove,
    PatchPlan,
    review_sentence,
    safety_check,
    verdict_sentence,
)
from functions_app.domain.changes.planned_ways_back import Held, PlannedWayBack
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, FunctionDetail, FunctionPlace
from functions_app.domain.images.lambda_rules import Check, Overrides, lambda_rules
from functions_app.domain.images.manifests import parse_config, parse_manifest
from functions_app.domain.rebase.safety.findings import Level as Safety
from functions_app.domain.rebase.safety.findings import Verdict
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Kind
from functions_app.models import Account, Function, Run
from functions_app.services.changes import alias_plans, alias_steps, image_choices, running, smoke
from functions_app.services.changes.alias_plans import AliasRead
from functions_app.services.changes.function_places import place_of
from functions_app.services.changes.patching import latest, safety, survival
from functions_app.services.changes.patching.latest import Latest
from functions_app.services.changes.patching.targets import PatchTarget, target_of_digest
from functions_app.services.changes.running import AliasRuns
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.images import files, rebases
from functions_app.services.images.rebases import Images
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor


def reading_first(function: Function, digest: str, actor: Actor) -> Run | None:
    """The run that reads the layers a verdict needs and nobody has read yet; None where all are known.

    Raises DENIED for others than operators, PREFLIGHT where nothing can be patched.
    """
    target = target_of_digest(function, digest)
    base = target.movable()
    if not files.unread_layers(safety.layers_of(target.image, base)):
        return None
    return files.submit_for_patch(target.image, (base.from_release_id, base.to_release_id), actor)


def plan(
    function: Function, actor: Actor, digest: str = "", *, keep_latest: bool = False, plan_id: UUID | None = None
) -> Planned[PatchPlan]:
    """Rebase in memory, judge it, read function and aliases, make all checks, freeze the lot.

    `digest`: which of the images that are live, where several are behind. `keep_latest`: where $LATEST isn't what is
    live, what is live is patched, and $LATEST left as it was. Raises DENIED, PREFLIGHT (nothing is behind, it can't be
    rebased, or layers are to be read first), UNREACHABLE; a check that fails is in the plan.
    """

    def draft() -> Draft[PatchPlan]:
        made = _plan(function, target_of_digest(function, digest), keep_latest=keep_latest)
        return Draft(made, function, function.arn, made.confirm, _ticks(made), checks=made.checks)

    asked = {"digest": digest[:80], **({"keep_latest": True} if keep_latest else {})}
    return plans.make(Kind.PATCH, function.arn, asked, actor, draft, plan_id)


def _ticks(made: PatchPlan) -> tuple[Tick, ...]:
    reviewed = made.verdict.level is Safety.REVIEW
    return (
        *((Tick("review", review_sentence(made.verdict)),) if reviewed else ()),
        *((callers_tick(made.place.name, made.kept),) if made.kept else ()),
    )


def _plan(function: Function, target: PatchTarget, *, keep_latest: bool) -> PatchPlan:
    base = target.movable()
    if unread := files.unread_layers(safety.layers_of(target.image, base)):
        raise DrydockError(
            Code.PREFLIGHT,
            f"{len(unread)} layers have not been read yet, so that nobody knows how safe it is.",
            next_step="Read their files first: Patch on the function's page does it.",
        )
    own, place = accounts.target(function.account, function.region), place_of(function)
    read = _read(function, own, target)
    app = ImageRef.parse(f"{target.image.repository.uri}@{target.digest}")
    owner, _ = image_choices.registry_target(app.registry, own)
    tag = target.image.repository.tags.filter(digest=target.digest).order_by("-since", "-name").first()
    images = rebases.tagged_freely(rebases.put_together(app, tag.name if tag else "", base, owner), app, owner)
    verdict, packages = safety.judged(images, target.image, base)
    beside = latest.beside(function, own, read.versions, target.digest, keep=keep_latest)
    result = images.result
    lifecycle = survival.checks_of(target.image, result.digest, result.tag)
    made = _Checked(function, place, target, base, read.against(beside), beside, images, verdict, lifecycle)
    return PatchPlan(
        place=place,
        app_image=str(app),
        app_tag=tag.name if tag else "",
        image_uri=str(app.with_digest(result.digest)),
        to_digest=result.digest,
        tag=result.tag,
        from_digest=read.latest.fact.latest.digest,
        function_revision=read.latest.fact.latest.revision_id,
        base=base,
        aliases=read.aliases(function.account),
        kept_layers=result.kept_layers,
        base_layers=result.base_layers,
        verdict=verdict,
        notes=tuple(note.text for note in result.notes),
        packages=tuple(packages[:PACKAGES]),
        more_packages=max(0, len(packages) - PACKAGES),
        checks=made.checks,
        judgement=made.judgement(),
        managed_by=alias_plans.tool_of(function, read.latest),
        owner=function.owner,
        smoke=smoke.smoke_of(function),
        differs=beside.differs,
        kept=beside.kept,
    )


@dataclass(frozen=True)
class _Read:
    """What AWS says now of the function and of every alias that is to move; each alias read against $LATEST."""

    each: tuple[tuple[str, AliasRead], ...]

    @property
    def latest(self) -> FunctionDetail:
        return self.each[0][1].goal

    @property
    def versions(self) -> VersionsRead:
        """$LATEST and what is live, compared."""
        return self.each[0][1].versions

    def against(self, beside: Latest) -> "_Read":
        """The same, with what is live compared with what will be published."""
        versions = replace(self.versions, comparisons={**self.versions.comparisons, **beside.comparisons})
        return _Read(tuple((name, replace(read, versions=versions)) for name, read in self.each))

    def aliases(self, account: Account) -> tuple[Patched, ...]:
        production, each = accounts.production(account), [one for one in self.each if one[0] != LATEST]
        return tuple(_patched(name, read, production=production.include(name)) for name, read in each)


def _read(function: Function, own: Target, target: PatchTarget) -> _Read:
    """Ask Lambda for all versions at once: $LATEST, and what the aliases run."""
    place = place_of(function)
    states = {name: alias_steps.read_alias(place, name) for name in target.aliases}
    gone = [name for name, state in states.items() if not state.exists]
    if gone:
        raise DrydockError(
            Code.CHANGED, f"There is no alias {gone[0]} any more.", next_step="Sync the function, then plan again."
        )
    if not states:
        return _Read(((LATEST, alias_plans.read(function, own, AliasState(LATEST), goal="")),))
    numbers = list(dict.fromkeys(number for state in states.values() for number in state.shares()))
    found = lambda_comparisons.read(own, function.name, "", [number for number in numbers if number != LATEST])
    makes_way = [number for number, one in found.details.items() if one.fact.latest.digest == target.digest]
    versions = VersionsRead(found.details, {n: one for n, one in found.comparisons.items() if n in makes_way})
    return _Read(
        tuple(
            (name, AliasRead(state, versions, _replaced(own, state, versions, makes_way), (), ""))
            for name, state in states.items()
        )
    )


def _replaced(own: Target, state: AliasState, versions: VersionsRead, makes_way: Sequence[str]) -> AliasRuns:
    """What an alias runs of the image that is patched; all it runs where that is none of it."""
    numbers = [number for number in state.shares() if number in makes_way] or list(state.shares())
    return running.runs_of(own, state, {n: one for n, one in versions.details.items() if n in numbers})


def _patched(name: str, read: AliasRead, *, production: bool) -> Patched:
    runs = read.alias.runs
    return Patched(name, read.before, runs[0].digest if runs else "", production, tuple(run.version for run in runs))


@dataclass(frozen=True)
class _Checked:
    """What was read, checked and judged."""

    function: Function
    place: FunctionPlace
    target: PatchTarget
    base: BaseMove
    read: _Read
    beside: Latest
    images: Images
    verdict: Verdict
    lifecycle: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What forbids it or is to be minded, each once."""
        latest = self.read.latest
        found = [
            safety_check(self.verdict),
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

    def _of_result(self) -> tuple[Check, ...]:
        """Lambda's rules for what will be pushed."""
        result, fact = self.images.result, self.beside.shipped.fact
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
        forbidden = checks.forbidding(self.checks)
        if forbidden and self.verdict.level is not Safety.UNSAFE:
            sentence = each[0].verdict
        else:
            sentence = verdict_sentence(
                self.verdict.level, self.base.stream, self.base.releases, self.images.result.kept_layers
            )
            if not self.target.aliases and not forbidden:
                sentence = f"{sentence} It has no alias: its calls run the new image at once."
        return replace(each[0], verdict=sentence, level=self._level(remarks), remarks=tuple(remarks))

    def _level(self, remarks: Sequence[Remark]) -> Level:
        """What is to be minded makes a SAFE patch no less safe; what is dangerous does."""
        if checks.forbidding(self.checks) or any(remark.level is Level.DANGER for remark in remarks):
            return Level.DANGER
        return Level.MIND if self.verdict.level is Safety.REVIEW else Level.FINE

    def _goal(self) -> Running:
        base = Base(self.base.stream, self.base.to_release_id, self.base.to_label, "current")
        uri = f"{self.target.image.repository.uri}@{self.images.result.digest}"
        return Running("", self.images.result.digest, uri, base, held=Held.THERE)

    def _of_merge(self) -> Iterable[Remark]:
        return (Remark(Level.MIND, "Configuration", note.text) for note in self.images.result.notes)


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
