"""What became of a plan, and whether it can still be applied: as it stands now."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Plan, Run

AGAIN = "Plan the change again."


def became(plan_id: UUID) -> Run | None:
    """The run that the plan of this id became, if there is one."""
    return Run.objects.filter(made_from=plan_id, parent=None).first()


def run_of(plan: Plan) -> Run | None:
    """The run that a plan became."""
    return became(plan.pk)


def over(now: datetime) -> Q:
    """The plans that can't be applied any more: expired, or made while a clock was wrong, and then of unknown age."""
    return Q(expires_at__lte=now) | Q(created_at__gt=now + clock.APART)


def is_over(plan: Plan) -> bool:
    """Whether it is one of those."""
    return plan.expires_at <= clock.now() or plan.created_at > clock.latest()


def not_any_more(plan: Plan) -> DrydockError:
    """Why a plan can't be applied, approved or rejected any more: as it stands now."""
    plan.refresh_from_db(fields=["applied_at", "rejected_at", "decided_by", "reason", "asked_at", "expires_at"])
    if plan.applied_at:
        run = run_of(plan)
        name = f"run {run.pk}" if run else "a run"
        return DrydockError(
            Code.INVALID,
            f"This plan was confirmed before, and became {name}. A plan is used once.",
            next_step=f"Follow {name}, or plan again.",
        )
    if plan.rejected_at:
        why = f": {plan.reason}" if plan.reason else ""
        return DrydockError(
            Code.INVALID, f"This plan was rejected by {plan.decided_by}{why}. Nothing was changed.", next_step=AGAIN
        )
    if plan.asked_at and not is_over(plan):
        return DrydockError(
            Code.INVALID, "This plan waits for an approver already.", next_step="Give its address to one."
        )
    return expired(plan)


def expired(plan: Plan) -> DrydockError:
    """The error of a plan that came too late."""
    why = f"expired at {plan.expires_at:%H:%M:%S} UTC"
    if plan.created_at > clock.latest():
        why = "was made while a clock was wrong, so that its age is not known"
    elif plan.asked_at:
        why = f"{why}, before anybody approved it"
    return DrydockError(
        Code.EXPIRED,
        f"This plan {why}. Nothing was changed.",
        next_step="Plan again: what it was made from may have changed.",
    )
