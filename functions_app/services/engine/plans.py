"""Plans: stored when they are made, applied once, by the person who made them, before they expire."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from functions_app import clock
from functions_app.domain.changes.deployments import check_confirmation
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind
from functions_app.models import Function, Plan, Run
from functions_app.services.engine import runs
from functions_app.services.people import access

TTL = timedelta(minutes=10)
KEEP = timedelta(days=1)  # an expired plan is kept so long, to say that it expired
PRIVATE = "payload"  # the one key of a body that never leaves the plan: not into the run, not into the audit


def store(kind: Kind, body: dict[str, Any], actor: User, ttl: timedelta = TTL) -> Plan:
    """Store a plan. The body needs `title`, `function_id`; `lock` and `confirm` (what must be typed) may be ''."""
    now = clock.now()
    Plan.objects.filter(applied_at=None, expires_at__lt=now - KEEP).delete()
    return Plan.objects.create(kind=kind, body=body, created_by=actor, created_at=now, expires_at=now + ttl)


def load(plan_id: UUID, actor: User) -> Plan:
    """A plan of this person, whatever became of it. Raises NOT_FOUND, DENIED."""
    plan = Plan.objects.filter(pk=plan_id).first()
    if plan is None:
        raise DrydockError(
            Code.NOT_FOUND, "There is no such plan; plans are kept for a day.", next_step="Plan the change again."
        )
    if plan.created_by_id != actor.pk:
        raise DrydockError(
            Code.DENIED,
            "Somebody else made this plan; who confirms a change has to have seen it planned.",
            next_step="Plan the change yourself.",
        )
    return plan


def apply(plan_id: UUID, actor: User, typed: str = "") -> Run:
    """Turn a plan into a run: exactly once. A refused attempt changes nothing and is in the audit table.

    Raises DENIED, INVALID (not confirmed, used already: names the run), EXPIRED, BUSY (names the run), NOT_FOUND.
    """
    try:
        access.require_operator(actor)
        return _apply(load(plan_id, actor), actor, typed)
    except DrydockError as error:
        known = Plan.objects.filter(pk=plan_id).first()
        target = known.body.get("target", "") if known else ""
        action = f"{known.kind if known else 'plan'}.apply"
        access.audit(actor, action, target or str(plan_id), {"plan_id": str(plan_id)}, f"refused: {error}")
        raise


def _apply(plan: Plan, actor: User, typed: str) -> Run:
    if plan.applied_at is not None:
        raise _used(plan)
    if Kind(plan.kind) not in runs.kinds():
        raise DrydockError(
            Code.PREFLIGHT,
            "This version of Drydock plans this and does not apply it yet. Nothing was changed.",
            next_step="Export the plan's list, or deploy function by function.",
        )
    check_confirmation(plan.body.get("confirm", ""), typed)
    function = Function.objects.select_related("account").filter(pk=plan.body["function_id"]).first()
    if function is None:
        raise DrydockError(Code.NOT_FOUND, "The function of this plan is no longer known.", next_step="Sync.")
    with transaction.atomic():
        now = clock.now()
        claimed = Plan.objects.filter(pk=plan.pk, applied_at=None, expires_at__gt=now).update(applied_at=now)
        if not claimed:
            plan.refresh_from_db()
            raise _used(plan) if plan.applied_at else expired(plan)
        return runs.submit(
            Kind(plan.kind),
            title=plan.body["title"],
            plan={**{key: value for key, value in plan.body.items() if key != PRIVATE}, "plan_id": str(plan.pk)},
            actor=actor,
            account=function.account,
            function=function,
            lock=plan.body.get("lock", ""),
        )


def run_of(plan: Plan) -> Run | None:
    """The run that a plan became."""
    if plan.applied_at is None:
        return None
    since = plan.applied_at - timedelta(seconds=1)
    return Run.objects.filter(kind=plan.kind, created_at__gte=since, plan__plan_id=str(plan.pk)).first()


def expired(plan: Plan) -> DrydockError:
    """The error of a plan that came too late."""
    return DrydockError(
        Code.EXPIRED,
        f"This plan expired at {plan.expires_at:%H:%M:%S} UTC. Nothing was changed.",
        next_step="Plan again: what it was made from may have changed.",
    )


def _used(plan: Plan) -> DrydockError:
    run = run_of(plan)
    name = f"run {run.pk}" if run else "a run"
    return DrydockError(
        Code.INVALID,
        f"This plan was confirmed before, and became {name}. A plan is used once.",
        next_step=f"Follow {name}, or plan again.",
    )


def private(plan_id: str) -> str:
    """The payload that only the plan holds; '' once it was blanked."""
    plan = Plan.objects.filter(pk=plan_id).first()
    return str(plan.body.get(PRIVATE, "")) if plan else ""


def blank(plan_id: str) -> None:
    """Forget the payload of a plan."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(pk=plan_id).first()
        if plan is not None and PRIVATE in plan.body:
            plan.body = {key: value for key, value in plan.body.items() if key != PRIVATE}
            plan.save(update_fields=["body"])
