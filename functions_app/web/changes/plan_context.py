"""What the pages of all plans share: where a plan stands, what was ticked, and why somebody can't confirm it."""

from functions_app.models import Plan
from functions_app.services.engine import approvals, plan_ends, plans
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.web.http import HtmxHttpRequest, actor_of


def plan_context(request: HtmxHttpRequest, stored: Plan | None) -> dict[str, object]:
    """Of a stored plan, or of one that a check forbids, which is None."""
    return {
        "stored": stored,
        "run": plan_ends.run_of(stored) if stored else None,
        "state": approvals.state_of(stored) if stored else None,
        "expired": bool(stored and plan_ends.is_over(stored)),
        "ticked": request.POST.getlist("tick"),
        "blocked": why_not(request),
        **(_approval(actor_of(request), stored) if stored else {}),
    }


def why_not(request: HtmxHttpRequest) -> str:
    """Why this person can't press the button; '' for operators."""
    return "" if access.is_operator(actor_of(request)) else "Only operators may change functions; you may look."


def _approval(actor: Actor, stored: Plan) -> dict[str, object]:
    """Whether its maker's button asks for an approval, and what this person may do where it waits for one."""
    asks = stored.approval_asked or plans.needs_approval(stored.function, stored.confirmation, actor)
    return {
        "asks": asks,
        "maker": approvals.maker_of(stored),
        "mine": plans.made_by(stored, actor),
        "approves": approvals.may_approve(stored, actor),
    }
