"""What planning deployments and rollbacks has in common: what is read, checked and judged, and how it is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from functions_app.aws import lambda_comparisons, lambda_executions
from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.aws.session import Target
from functions_app.domain.changes import checks
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.configurations import Comparison
from functions_app.domain.changes.deployments import DeploymentPlan, RollbackPlan
from functions_app.domain.changes.judgements import Facts, Judgement, Remark, Running, judge
from functions_app.domain.changes.pinned_executions import Executions, remarks
from functions_app.domain.changes.planned_ways_back import Behind, planned_way_back
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, Features, FunctionDetail
from functions_app.domain.fleet.parts import Part
from functions_app.domain.fleet.tags import managed_by
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import Function, Run
from functions_app.services.changes import running
from functions_app.services.changes.running import AliasRuns
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor, named

Made = TypeVar("Made", DeploymentPlan, RollbackPlan)


def make(
    kind: Kind,
    function: Function,
    asked: dict[str, Any],
    actor: Actor,
    read: Callable[[], Made],
    plan_id: UUID | None = None,
) -> Planned[Made]:
    """Make the plan that `read` freezes: one change of a function at a time, production confirmed by its name."""

    def draft() -> Draft[Made]:
        made = read()
        return Draft(made, function, function.arn, made.confirm, made.judgement.ticks, checks=made.checks)

    return plans.make(kind, function.arn, asked, actor, draft, plan_id)


@dataclass(frozen=True)
class AliasRead:
    """An alias as it is, what it runs, and the version that it is to run ("": what $LATEST is published as)."""

    before: AliasState
    versions: VersionsRead
    alias: AliasRuns
    twins: tuple[Behind, ...]  # published versions with the digest of $LATEST, for an alias that points to it
    goal_version: str

    @property
    def goal(self) -> FunctionDetail:
        """GetFunction of the version that is to run; the caller has made sure that there is one."""
        return self.versions.details[self.goal_version]


def read(function: Function, own: Target, before: AliasState, goal: str) -> AliasRead:
    """Ask Lambda for all versions that matter, and ECR for the images behind those that the alias runs.

    An alias that is yet to be made is compared with $LATEST: nothing else says what the function ran so far.
    """
    here = before if before.exists else AliasState(LATEST)
    live = [number for number in here.shares() if number != LATEST or goal]
    versions = lambda_comparisons.read(own, function.name, goal, live)
    if LATEST in here.shares() and not goal:
        same = Comparison(LATEST, same_hash=True)  # what is published is what $LATEST is
        versions = VersionsRead(
            {**versions.details, LATEST: versions.details[""]}, {**versions.comparisons, LATEST: same}
        )
    return AliasRead(
        before, versions, running.runs_of(own, here, versions.details), _twins(function, own, before, versions), goal
    )


def _twins(function: Function, own: Target, before: AliasState, versions: VersionsRead) -> tuple[Behind, ...]:
    if before.version not in (LATEST, PUBLISHED_LATEST) or before.version not in versions.details:
        return ()
    numbers = running.twins_of(function, versions.details[before.version].fact.latest.digest)
    if not numbers:
        return ()
    return running.twins_behind(own, numbers, lambda_comparisons.read(own, function.name, numbers[0], numbers))


def judged(
    function: Function,
    alias: str,
    now: AliasRead,
    goal: Running,
    made: Sequence[Check],
    *,
    opening: str = "",
    more: Sequence[Remark] = (),
) -> Judgement:
    """Judge what was read, against each version that the alias runs."""
    runs = now.alias.runs
    if not now.before.exists:
        opening = f"{alias} is new; against $LATEST: "
    elif len(runs) > 1 and not opening:
        opening = f"Against version {runs[0].version}, which has {runs[0].share * 100:g} % of the calls: "
    comparisons = [now.versions.comparisons[run.version] for run in runs if run.version in now.versions.comparisons]
    return judge(
        Facts(
            function=function.name,
            alias=alias,
            runs=runs,
            goal=goal,
            changes=running.base_changes(runs, goal),
            comparisons=comparisons,
            ran=running.ran_from(function, now.versions.details.values()),
            checks=made,
            way_back=planned_way_back(alias, now.before, now.alias.behind, now.twins),
            opening=opening,
            more=(*more, *_pinned(function, now)),
        )
    )


def _pinned(function: Function, now: AliasRead) -> tuple[Remark, ...]:
    """What Managed Instances and durable executions mean for it; Lambda is asked where the function is durable."""
    goal = now.versions.details.get(now.goal_version)
    own = accounts.target(function.account, function.region)
    durable = {
        run.version: _under_way(own, function.name, run.version)
        for run in now.alias.runs
        if now.before.exists and now.versions.details[run.version].fact.features.durable
    }
    return remarks(goal.fact.features if goal else Features(), durable)


def _under_way(own: Target, name: str, version: str) -> Executions:
    """That Lambda does not tell is an answer too: a plan is made all the same."""
    try:
        return lambda_executions.under_way(own, name, version)
    except DrydockError as error:
        return Executions(unread=str(error))


def tool_of(function: Function, detail: FunctionDetail) -> str:
    """Who else manages it, by its tags: those that were known where AWS can't tell them now."""
    return managed_by(function.tags if Part.TAGS in detail.unread else detail.tags)


def common_checks(function: Function, detail: FunctionDetail) -> tuple[Check, ...]:
    """What is checked of a function before an alias of it is moved, wherever to."""
    return (
        _other_run_check(function),
        checks.ownership_check(tool_of(function, detail), function.owner, detail.unread.get(Part.TAGS)),
    )


def _other_run_check(function: Function) -> Check:
    """Whether another change of this function is under way."""
    run = Run.objects.filter(lock=function.arn, status__in=ACTIVE).first()
    if run is None:
        return Check("Other changes", True, "No other change of this function is under way.")
    who = named(run.actor_name, run.via)
    return Check("Other changes", False, f"Run {run.pk} ({run.title}, by {who}) is changing this function.")
