"""A change in two turns: the plan with its verdict and a code, then the code, by whoever must say it.

The code names the plan and gives no right to it: who may apply it, that it expires, and that it is used once is the
plan's own, by compare-and-set.
"""

from django.db import IntegrityError, transaction

from functions_app.domain.chat import codes
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Plan, PlanCode, Run
from functions_app.services.chat.replies import Reply, of_plan, of_run
from functions_app.services.engine import approvals, plans
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

TRIES = 20  # codes that other plans have: one of 800,000 each


def first(plan: Plan, actor: Actor) -> Reply:
    """Apply a plan that asks for nothing; of any other tell what it does, and what is to be said to apply it.

    Where an approver has to agree, who asks for the change has said so: the second turn is the approver's.
    """
    if plan.ticks or (plan.confirmation and not plan.approval_asked):
        return of_plan(plan, code_of(plan), waits=False)
    return _confirmed(plan, actor)


def second(code: str, ticks: str, actor: Actor) -> Reply:
    """Apply the plan of this code: who made it, or an approver where one has to agree. A refusal is in the audit table.

    What had to be typed for it in a browser is said by its code; what had to be ticked is named here too. Raises as
    `approvals.confirm` and `approvals.approve` do.
    """
    row = PlanCode.objects.select_related("plan").filter(code=codes.typed(code)[:8]).first()
    if row is None:
        refusal = DrydockError(
            Code.NOT_FOUND,
            f"No plan has the code {codes.typed(code)[:8]}; plans are kept for a day.",
            next_step="Plan the change again.",
        )
        access.audit(actor, "plan.apply", f"code {codes.typed(code)[:8]}", None, f"refused: {refusal}")
        raise refusal
    if plans.made_by(row.plan, actor):
        return _confirmed(row.plan, actor, ticks)
    return of_run(approvals.approve(row.plan_id, actor))


def _confirmed(plan: Plan, actor: Actor, ticks: str = "") -> Reply:
    found = approvals.confirm(plan.pk, actor, plan.confirmation, ticks.replace(",", " ").split())
    return of_run(found) if isinstance(found, Run) else of_plan(found, code_of(found), waits=True)


def code_of(plan: Plan) -> str:
    """What a plan is called in a chat: the same whenever it is asked."""
    for _ in range(TRIES):
        known = PlanCode.objects.filter(plan=plan).first()
        if known is not None:
            return known.code
        try:
            with transaction.atomic():
                PlanCode.objects.create(code=codes.new_plan_code(), plan=plan)
        except IntegrityError:
            continue  # another plan has that code, or somebody else gave this plan one
    raise AssertionError("unreachable: one in 800,000, twenty times")
