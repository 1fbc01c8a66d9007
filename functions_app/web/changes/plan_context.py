"""What the pages of all plans share: where a plan stands, what was ticked, and why somebody can't confirm it."""

from functions_app.models import Plan
from functions_app.services.engine import plans
from functions_app.services.people import access
from functions_app.web.http import HtmxHttpRequest, actor_of


def plan_context(request: HtmxHttpRequest, stored: Plan | None) -> dict[str, object]:
    """Of a stored plan, or of one that a check forbids, which is None."""
    return {
        "stored": stored,
        "run": plans.run_of(stored) if stored else None,
        "expired": bool(stored and plans.is_over(stored)),
        "ticked": request.POST.getlist("tick"),
        "blocked": why_not(request) or _awaits_approval(request, stored),
    }


def why_not(request: HtmxHttpRequest) -> str:
    """Why this person can't press the button; '' for operators."""
    return "" if access.is_operator(actor_of(request)) else "Only operators may change functions; you may look."


def _awaits_approval(request: HtmxHttpRequest, stored: Plan | None) -> str:
    """Why the maker of a plan can't confirm it; '' for an approver, and where no approval is asked."""
    if stored is None or not stored.approval_asked or stored.maker_id != request.user.pk:
        return ""
    return "An approver confirms this plan, not its maker: give its address to one."
