"""Planning the patch of a function: AWS and the registries are read, nothing is changed, nothing is pushed."""

from collections.abc import Sequence
from uuid import UUID

from functions_app.aws import lambda_comparisons
from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.aws.session import Target
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.judgements import Tick
from functions_app.domain.changes.patching.latest_kept import callers_tick
from functions_app.domain.changes.patching.patch_verdicts import review_sentence
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.rebase.safety.findings import Level as Safety
from functions_app.domain.runs import Kind
from functions_app.models import Function, Run
from functions_app.services.changes import alias_plans, alias_steps, image_choices, running, smoke
from functions_app.services.changes.alias_plans import AliasRead
from functions_app.services.changes.function_places import place_of
from functions_app.services.changes.patching import latest, safety, survival
from functions_app.services.changes.patching.checked import Checked, Read
from functions_app.services.changes.patching.golden import rebased_golden
from functions_app.services.changes.patching.rebasing import rebased
from functions_app.services.changes.patching.targets import PatchTarget, target_of_digest
from functions_app.services.changes.running import AliasRuns
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.images import files
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor


def reading_first(function: Function, digest: str, actor: Actor) -> Run | None:
    """The run that reads the layers a verdict needs and nobody has read yet; None where all are known.

    Raises DENIED for others than operators, PREFLIGHT where nothing can be patched.
    """
    target = target_of_digest(function, digest)
    target.movable()
    if not files.unread_layers(safety.layers_of(target.image, target.release_ids)):
        return None
    return files.submit_for_patch(target.image, target.release_ids, actor)


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
    return (
        *((Tick("review", review_sentence(made.verdict, made.golden)),) if made.safety.level is Safety.REVIEW else ()),
        *((callers_tick(made.place.name, made.kept),) if made.kept else ()),
    )


def _plan(function: Function, target: PatchTarget, *, keep_latest: bool) -> PatchPlan:
    base = target.movable()
    if unread := files.unread_layers(safety.layers_of(target.image, target.release_ids)):
        raise DrydockError(
            Code.PREFLIGHT,
            f"{len(unread)} layers have not been read yet, so that nobody knows how safe it is.",
            next_step="Read their files first: Patch on the function's page does it.",
        )
    own = accounts.target(function.account, function.region)
    read = _read(function, own, target)
    first = rebased_golden(target.golden)
    owner, _ = image_choices.registry_target(target.image.repository.uri.partition("/")[0], own)
    move, new_base = (first[-1].patch.carrying(base), first[-1].made.as_base) if first else (base, None)
    made = rebased(target.image, move, owner, new_base=new_base)
    beside = latest.beside(function, own, read.versions, target.digest, target.aliases, keep=keep_latest)
    push = survival.Push(target.image, made.plan.to_digest, made.plan.tag)
    lifecycle = survival.checks_of([*(push for one in first for push in one.pushes), push])
    golden = tuple(one.patch for one in first)
    found = Checked(function, place_of(function), target, read.against(beside), beside, made, lifecycle, golden)
    return PatchPlan(
        **vars(made.plan),
        place=found.place,
        from_digest=read.latest.fact.latest.digest,
        function_revision=read.latest.fact.latest.revision_id,
        aliases=read.aliases(function.account),
        checks=found.checks,
        judgement=found.judgement(),
        managed_by=alias_plans.tool_of(function, read.latest),
        owner=function.owner,
        smoke=smoke.smoke_of(function),
        differs=beside.differs,
        kept=beside.kept,
        golden=golden,
    )


def _read(function: Function, own: Target, target: PatchTarget) -> Read:
    """Ask Lambda for all versions at once: $LATEST, and what the aliases run."""
    place = place_of(function)
    states = {name: alias_steps.read_alias(place, name) for name in target.aliases}
    gone = [name for name, state in states.items() if not state.exists]
    if gone:
        raise DrydockError(
            Code.CHANGED, f"There is no alias {gone[0]} any more.", next_step="Sync the function, then plan again."
        )
    if not states:
        return Read(((LATEST, alias_plans.read(function, own, AliasState(LATEST), goal="")),))
    numbers = list(dict.fromkeys(number for state in states.values() for number in state.shares()))
    found = lambda_comparisons.read(own, function.name, "", [number for number in numbers if number != LATEST])
    makes_way = [number for number, one in found.details.items() if one.fact.latest.digest == target.digest]
    versions = VersionsRead(found.details, {n: one for n, one in found.comparisons.items() if n in makes_way})
    return Read(
        tuple(
            (name, AliasRead(state, versions, _replaced(own, state, versions, makes_way), (), ""))
            for name, state in states.items()
        )
    )


def _replaced(own: Target, state: AliasState, versions: VersionsRead, makes_way: Sequence[str]) -> AliasRuns:
    """What an alias runs of the image that is patched; all it runs where that is none of it."""
    numbers = [number for number in state.shares() if number in makes_way] or list(state.shares())
    return running.runs_of(own, state, {n: one for n, one in versions.details.items() if n in numbers})
