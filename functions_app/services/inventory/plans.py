"""Plans as lists show them: those that wait for an approval, and one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet

from functions_app import clock
from functions_app.domain.changes.approvals import PlanState
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import Reach
from functions_app.models import Plan
from functions_app.services.engine import approvals, plan_ends, plans
from functions_app.services.engine.kinds import kind_of
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import functions_within

PAGE = 50
SHOWN = (
    "title", "kind", "target", "maker__username", "via", "created_at", "expires_at", "applied_at", "asked_at",
    "rejected_at", "decided_by", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class PlanRow:
    """A plan in a list; `mine`: whoever looks made it, and somebody else approves it."""

    plan: Plan
    state: PlanState
    maker: str
    mine: bool


@dataclass(frozen=True)
class PlanList:
    """One page of plans, the newest first."""

    rows: tuple[PlanRow, ...]
    total: int
    number: int
    last: int


def plan_list(actor: Actor, state: PlanState | None, page: int) -> PlanList:
    """The plans that somebody may see, by state: their own, and an approver those that ask for one. Two queries; three
    through what gets to some functions alone.
    """
    paginator = Paginator(seen(actor, state), PAGE)
    current = paginator.get_page(page)
    rows = tuple(plan_row(plan, actor) for plan in current)
    return PlanList(rows, paginator.count, current.number, paginator.num_pages)


def seen(actor: Actor, state: PlanState | None) -> QuerySet[Plan]:
    """All those plans, the newest first."""
    whose = Q(maker=actor.person) if actor.person else Q(pk__in=[])
    if access.is_approver(actor):
        whose |= Q(approval_asked=True)
    found = Plan.objects.filter(whose, _of(state, clock.now()) if state else Q()).exclude(kind=Kind.PATCH_LIST)
    return _within(found, actor.reach).select_related("maker").only(*SHOWN).order_by("-created_at", "pk")


def waiting(actor: Actor, most: int) -> list[PlanRow]:
    """What waits for this person's approval, the soonest to expire first; so many at most. One query, or none; two
    through what gets to some functions alone.
    """
    if not access.is_approver(actor):
        return []
    found = Plan.objects.filter(_of(PlanState.WAITING, clock.now())).exclude(maker=actor.person)
    found = _within(found, actor.reach).select_related("maker").only(*SHOWN)
    return [plan_row(plan, actor) for plan in found.order_by("expires_at")[:most]]


def _within(found: QuerySet[Plan], reach: Reach) -> QuerySet[Plan]:
    """Those of which somebody gets to all that they change, as `plans.load` asks; one query more where that ends."""
    found = found.filter(functions_within(reach, "function__"))
    if reach.everything:
        return found
    rows = found.filter(kind=Kind.PATCH).values_list("pk", "kind", "body")
    return found.exclude(pk__in=[pk for pk, kind, body in rows.iterator() if not _reaches(reach, kind, body)])


def _reaches(reach: Reach, kind: str, body: dict[str, Any]) -> bool:
    known = kind_of(kind)
    return known is None or all(one.is_within(reach) for one in known.beside(body))


def plan_row(plan: Plan, actor: Actor) -> PlanRow:
    """A plan as lists show it to somebody."""
    return PlanRow(plan, approvals.state_of(plan), approvals.maker_of(plan), plans.made_by(plan, actor))


def _of(state: PlanState, now: datetime) -> Q:
    """What plans must be to stand so: `approvals.state_of`, asked of the database."""
    undone = Q(applied_at=None, rejected_at=None)
    conditions: Mapping[PlanState, Q] = {
        PlanState.APPLIED: Q(applied_at__isnull=False),
        PlanState.REJECTED: Q(applied_at=None, rejected_at__isnull=False),
        PlanState.EXPIRED: undone & plan_ends.over(now),
        PlanState.WAITING: undone & ~plan_ends.over(now) & Q(asked_at__isnull=False),
        PlanState.OPEN: undone & ~plan_ends.over(now) & Q(asked_at=None),
    }
    return conditions[state]
