"""Plans of production that somebody has confirmed and that wait for an approver; nothing of AWS's is asked."""

from functions_app.domain.runs import Kind
from functions_app.models import Function, Plan
from functions_app.services.engine import approvals, plans
from functions_app.services.engine.plans import Draft
from functions_app.services.people.actor import Actor
from tests.patch_plans import make_patch_plan


def make_plan(function: Function, maker: Actor) -> Plan:
    """A patch of alias `live`, planned."""
    frozen = make_patch_plan(function)
    draft = Draft(frozen, function, function.arn, frozen.confirm)
    return plans.make(Kind.PATCH, function.arn, {}, maker, lambda: draft).confirmable()


def make_waiting(function: Function, maker: Actor) -> Plan:
    """The same, with its maker asking for an approval."""
    asked = approvals.confirm(make_plan(function, maker).pk, maker, "live")
    assert isinstance(asked, Plan)
    return asked
