"""What planning deployments and rollbacks has in common: the checks of every move of an alias, and how it is stored."""

from collections.abc import Callable
from typing import Any, TypeVar

from functions_app.domain.changes import checks
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.deployments import DeploymentPlan, RollbackPlan
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import Function, Run
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.people.actor import Actor, named

Made = TypeVar("Made", DeploymentPlan, RollbackPlan)


def make(
    kind: Kind, function: Function, asked: dict[str, Any], actor: Actor, read: Callable[[], Made]
) -> Planned[Made]:
    """Make the plan that `read` freezes: one change of a function at a time, production confirmed by its name."""

    def draft() -> Draft[Made]:
        made = read()
        return Draft(made, function, function.arn, made.confirm, checks=made.checks)

    return plans.make(kind, function.arn, asked, actor, draft)


def common_checks(function: Function, alias: str, before: AliasState, managed_by: str) -> tuple[Check, ...]:
    """What is checked before an alias is moved, wherever to."""
    return (
        _other_run_check(function),
        checks.alias_check(alias, before),
        checks.ownership_check(managed_by, function.owner),
    )


def _other_run_check(function: Function) -> Check:
    """Whether another change of this function is under way."""
    run = Run.objects.filter(lock=function.arn, status__in=ACTIVE).first()
    if run is None:
        return Check("Other changes", True, "No other change of this function is under way.")
    who = named(run.actor_name, run.via)
    return Check("Other changes", False, f"Run {run.pk} ({run.title}, by {who}) is changing this function.")
