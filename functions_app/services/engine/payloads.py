"""What only a plan holds of what is sent to a function: kept until it was sent, or until the plan expires."""

from uuid import UUID

from django.db import transaction

from functions_app.models import Plan

PRIVATE = "payload"  # the one key of a body that never leaves the plan: not into the run, not into the audit


def payload(plan: Plan | None) -> str:
    """The payload that only the plan holds; '' once it was forgotten."""
    return str(plan.body.get(PRIVATE, "")) if plan else ""


def keep_payload(plan_id: UUID, payload: str) -> None:
    """Put back the payload of a plan that came to nothing, until the plan expires (`tidy`)."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(pk=plan_id).first()
        if plan is not None:
            plan.body = {**plan.body, PRIVATE: payload}
            plan.save(update_fields=["body"])


def forget_payload(plan_id: UUID) -> None:
    """Forget the payload of a plan."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(pk=plan_id).first()
        if plan is not None and PRIVATE in plan.body:
            plan.body = {key: value for key, value in plan.body.items() if key != PRIVATE}
            plan.save(update_fields=["body"])
