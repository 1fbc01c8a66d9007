"""Approvals: where an account asks for one, a plan that its maker has confirmed waits for somebody else to agree."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from functions_app import clock, eventlog, runlog
from functions_app.domain.changes.approvals import PlanState
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.events import EventKind
from functions_app.domain.redaction import one_line
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import needed
from functions_app.models import Plan, PushRule, Run
from functions_app.services.engine import plan_ends, plans
from functions_app.services.people import access, living_tokens
from functions_app.services.people.actor import SCHEDULE, Actor, named
from functions_app.services.people.backend import active_people

TTL = timedelta(hours=4)  # from asking on: an approver has other work too, and each run checks again before it changes
ASKED = Q(asked_at__isnull=False)


def confirm(plan_id: UUID, actor: Actor, typed: str = "", ticked: Collection[str] = ()) -> Run | Plan:
    """Apply a plan; where an approver has to agree first, ask for that: the plan then, which waits (asked twice: once).

    What every door calls. Raises as `plans.apply` does; a refused attempt is in the audit table.
    """
    plan = Plan.objects.select_related("function__account").filter(pk=plan_id).first()
    asks = plan is not None and (plan.approval_asked or plans.needs_approval(plan.function, plan.confirmation, actor))
    if plan is None or not asks:
        return plans.apply(plan_id, actor, typed, ticked)
    with plans.audited(plan_id, actor, "ask"):
        access.require_operator(actor)
        plan = plans.load(plan_id, actor)
        if not plans.made_by(plan, actor):
            raise DrydockError(
                Code.DENIED, "This plan waits for an approval, and is not applied.", next_step="Approve or reject it."
            )
        plans.require_confirmed(plan, actor, typed, ticked)
        return plan if state_of(plan) is PlanState.WAITING else _ask(plan, actor)


def _ask(plan: Plan, actor: Actor) -> Plan:
    now = clock.now()
    with transaction.atomic():
        standing = Plan.objects.filter(
            ~plan_ends.over(now), pk=plan.pk, applied_at=None, rejected_at=None, asked_at=None
        )
        if not standing.update(approval_asked=True, asked_at=now, expires_at=now + TTL):
            raise plan_ends.not_any_more(plan)
        access.audit(actor, f"{plan.kind}.ask", plan.target, _facts(plan), "waits for an approval")
        _tell(EventKind.PLAN_WAITS, plan, f"{plan.title} waits for an approval", actor)
    plan.refresh_from_db()
    return plan


def approve(plan_id: UUID, actor: Actor) -> Run:
    """Agree to a plan that waits: it becomes a run at once, the approver's. Of several at once one does.

    Raises DENIED (no approver, its own maker, or a maker who may no longer), NOT_FOUND (out of reach too), INVALID
    (not asked for, used, rejected), EXPIRED, BUSY. A refused attempt is in the audit table.
    """
    with plans.audited(plan_id, actor, "approve"):
        plan = _for_approver(plan_id, actor)
        access.require_scopes(actor, needed(Kind(plan.kind), production=bool(plan.confirmation)))
        _require_maker(plan)
        by = named(actor.name, actor.via)
        with transaction.atomic():
            run = plans.start(plan, actor, ASKED, decided_by=by)
            access.audit(actor, f"{plan.kind}.approve", plan.target, _facts(plan), "approved", run)
            runlog.append_message(run.pk, "info", f"Planned by {maker_of(plan)}, approved by {by}.")
        return run


def reject(plan_id: UUID, actor: Actor, reason: str = "") -> Plan:
    """Refuse a plan that waits, as an approver; or withdraw it, as its maker. Raises as `approve` does."""
    why = one_line(reason)
    with plans.audited(plan_id, actor, "reject"):
        access.require_operator(actor)
        plan = plans.load(plan_id, actor)
        if not plans.made_by(plan, actor):
            access.require_approver(actor)
        _require_waiting(plan)
        waiting = ASKED & ~plan_ends.over(clock.now())
        if not _end(plan, waiting, actor, named(actor.name, actor.via), why):
            raise plan_ends.not_any_more(plan)
        plan.refresh_from_db()
        return plan


def withdraw(plan_id: UUID, why: str, by: str) -> None:
    """Have nobody apply or approve a plan any more that was not applied yet; `by` whom, or what."""
    plan = Plan.objects.select_related("function", "maker").filter(pk=plan_id).first()
    if plan is not None:
        _end(plan, Q(), SCHEDULE, by, why)


def _end(plan: Plan, standing: Q, actor: Actor, by: str, why: str) -> bool:
    """Reject a plan that stands so, say it in the audit, and tell of it; False where it does not stand so any more."""
    with transaction.atomic():
        found = Plan.objects.filter(standing, pk=plan.pk, applied_at=None, rejected_at=None)
        if not found.update(rejected_at=clock.now(), decided_by=by, reason=why):
            return False
        told = "withdrawn" if actor.is_schedule or plans.made_by(plan, actor) else "rejected"
        how = f"{told}: {why}" if why else told
        access.audit(actor, f"{plan.kind}.reject", plan.target, _facts(plan), how)
        _tell(EventKind.PLAN_REJECTED, plan, f"{plan.title} is {how}", actor)
    return True


def _tell(kind: EventKind, plan: Plan, text: str, actor: Actor) -> None:
    arn = plan.function.arn if plan.function else ""
    eventlog.tell(
        eventlog.event(kind, text, arn=arn, plan=str(plan.pk), kind=plan.kind, actor=actor.name, via=actor.via)
    )


def may_approve(plan: Plan, actor: Actor) -> bool:
    """Whether this person may agree to a plan: an approver who did not make it."""
    return access.is_approver(actor) and not plans.made_by(plan, actor)


def state_of(plan: Plan) -> PlanState:
    """Where a plan stands."""
    if plan.applied_at is not None:
        return PlanState.APPLIED
    if plan.rejected_at is not None:
        return PlanState.REJECTED
    if plan_ends.is_over(plan):
        return PlanState.EXPIRED
    return PlanState.WAITING if plan.asked_at is not None else PlanState.OPEN


def maker_of(plan: Plan) -> str:
    """Who made a plan, with what they came through."""
    return named(plan.maker.get_username() if plan.maker else "somebody who is gone", plan.via)


def _for_approver(plan_id: UUID, actor: Actor) -> Plan:
    access.require_operator(actor)
    access.require_approver(actor)
    plan = plans.load(plan_id, actor)
    if plans.made_by(plan, actor):
        raise DrydockError(
            Code.DENIED, "Who made a plan does not approve it.", next_step="Give its address to another approver."
        )
    _require_waiting(plan)
    return plan


def _require_waiting(plan: Plan) -> None:
    state = state_of(plan)
    if state is PlanState.OPEN:
        raise DrydockError(
            Code.INVALID, "The maker of this plan has not asked for an approval.", next_step="Ask them to confirm it."
        )
    if state is not PlanState.WAITING:
        raise plan_ends.not_any_more(plan)


def _require_maker(plan: Plan) -> None:
    """Raise DENIED where who asked, or made the rule that did, may change nothing any more, or their token is over."""
    person = next(iter(active_people([plan.maker_id] if plan.maker_id else [])), None)
    rule = PushRule.objects.filter(plan=plan).first()
    via, since = (rule.via, rule.created_at) if rule else (plan.via, plan.created_at)
    if person is None or not access.is_operator(Actor(person)) or not living_tokens.lives(person, via, since):
        raise DrydockError(
            Code.DENIED,
            f"{maker_of(plan)} made this plan, and may not change functions any more. Nothing was changed.",
            next_step="Reject it, and plan the change yourself.",
        )


def _facts(plan: Plan) -> dict[str, str]:
    """What the audit keeps: the plan, and who made it."""
    return {"plan_id": str(plan.pk), "title": plan.title, "maker": maker_of(plan)}
