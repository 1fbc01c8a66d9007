"""`/plans`: a plan as it was made; to apply it, to approve or reject it, and those that wait for that."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from functions_app.api.requests import ApiRequest
from functions_app.api.runs import NO_REASON, Asked, Started, followed
from functions_app.api.shapes import OWN, Answer, Body, Listed, Page, Paged, Told, in_utc, link, one_of, page_of, paged
from functions_app.domain.changes.approvals import PlanState
from functions_app.domain.text import counted
from functions_app.models import Plan, Run
from functions_app.services.engine import approvals, plan_ends, plans
from functions_app.services.engine.kinds import kind_of
from functions_app.services.inventory.plans import PlanRow, plan_list
from functions_app.services.inventory.tables.history import plan_table
from functions_app.streams.table_download import table_answer

router = Router(tags=["changes"])
WAITS = "waiting_for_approval"


class Confirmed(Body):
    """What a plan asks of who applies it: the name to type, and the keys of what is to be ticked."""

    confirm: str = Field(default="", max_length=200)
    ticks: list[str] = Field(default=[], max_length=50)


NOTHING = Confirmed()


class TickLine(Schema):
    """Something that must be ticked before the plan is applied."""

    key: str
    text: str


class CheckLine(Schema):
    """A question that was asked before, and how it came out; null: it could not be decided."""

    name: str
    ok: bool | None
    text: str


class PlanLine(Schema):
    """A plan in a list; `decided_by` has approved or rejected it."""

    id: UUID
    kind: str
    title: str
    target: str
    state: PlanState
    maker: str
    expires_at: datetime
    asked_at: datetime | None
    decided_by: str
    reason: str


class PlanAnswer(Told):
    """A plan: what it will do, until when it may be applied, what it asks of who does; `run`: what it became."""

    id: UUID
    kind: str
    title: str
    target: str
    state: PlanState
    maker: str
    run: int | None
    expires_at: datetime
    confirm: str
    ticks: list[TickLine]
    approval_asked: bool
    decided_by: str
    reason: str
    checks: list[CheckLine]
    verdict: str
    steps: list[str]


class PlanPage(Page):
    """A page of plans."""

    plans: list[PlanLine]


class Waiting(Told):
    """A plan that was confirmed by its maker, and waits for an approver."""

    id: UUID
    status: str
    expires_at: datetime


class Filters(Paged):
    """Which plans."""

    state: str = Field("", description=", ".join(PlanState))


@router.get("/plans", response=PlanPage)
def list_plans(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """Plans of one's own; an approver's, with the scope approve, are also those that ask for an approval."""
    one_of("state", filters.state, frozenset(PlanState))
    asked = filters.chosen()
    state = PlanState(filters.state) if filters.state else None
    if filters.format:
        return table_answer(request, plan_table(request.actor, state))
    found = plan_list(request.actor, state, page_of(filters.cursor, asked))
    text, at = f"{counted(found.total, 'plan')}.", (found.number, found.last)
    told = paged(request, reverse("plans"), text, asked, total=found.total, at=at, as_of=OWN)
    return {**told, "plans": [_line(row) for row in found.rows]}


@router.get("/plans/{plan_id}", response=PlanAnswer)
def get_plan(request: ApiRequest, plan_id: UUID) -> dict[str, Any]:
    """A plan, for who made it, and for approvers where one is asked."""
    return told(request, plans.load(plan_id, request.actor))


@router.post("/plans/{plan_id}/apply", response={202: Started | Waiting})
def apply_plan(request: ApiRequest, response: HttpResponse, plan_id: UUID, body: Confirmed = NOTHING) -> Answer:
    """Turn a plan into a run, once: what it asks for is typed and ticked. Where an approver has to agree, it waits."""
    return confirmed(request, response, plan_id, body)


@router.post("/plans/{plan_id}/approve", response={202: Started})
def approve_plan(request: ApiRequest, response: HttpResponse, plan_id: UUID) -> Answer:
    """Agree to a plan of somebody else's that waits for it: its run starts at once."""
    return followed(request, response, approvals.approve(plan_id, request.actor))


@router.post("/plans/{plan_id}/reject", response=PlanAnswer)
def reject_plan(request: ApiRequest, plan_id: UUID, body: Asked = NO_REASON) -> dict[str, Any]:
    """Refuse a plan that waits for an approval; its maker withdraws it so."""
    return told(request, approvals.reject(plan_id, request.actor, body.reason))


def confirmed(request: ApiRequest, response: HttpResponse, plan_id: UUID, body: Confirmed) -> Answer:
    """202: the run that a plan became, or the plan, which waits for an approver."""
    found = approvals.confirm(plan_id, request.actor, body.confirm, body.ticks)
    if isinstance(found, Run):
        return followed(request, response, found)
    response["Location"] = reverse("api:get_plan", args=[found.pk])
    return Status(
        202,
        {
            "text": f"{found.title}: waits for an approver, until {in_utc(found.expires_at)}.",
            "url": link(request, reverse("plan", args=[found.pk])),
            "id": found.pk,
            "status": WAITS,
            "expires_at": found.expires_at,
        },
    )


def told(request: ApiRequest, plan: Plan) -> dict[str, Any]:
    """A plan whole, with what it asks for, or what became of it, in one line."""
    kind, run, state = kind_of(plan.kind), plan_ends.run_of(plan), approvals.state_of(plan)
    return {
        "text": f"{plan.title}: {_standing(plan, state, run)}.",
        "url": link(request, reverse("plan", args=[plan.pk])),
        "id": plan.pk,
        **{name: getattr(plan, name) for name in ("kind", "title", "target", "expires_at", "approval_asked")},
        **{name: getattr(plan, name) for name in ("decided_by", "reason")},
        "state": state,
        "maker": approvals.maker_of(plan),
        "run": run.pk if run else None,
        "confirm": plan.confirmation,
        "ticks": [{"key": key, "text": text} for key, text in plan.ticks],
        "checks": [{name: check.get(name) for name in CheckLine.model_fields} for check in plan.body.get("checks", ())],
        "verdict": str(plan.body.get("judgement", {}).get("verdict", "")),
        "steps": [step.title for step in kind.steps(plan.body)] if kind else [],
    }


def _standing(plan: Plan, state: PlanState, run: Run | None) -> str:
    match state:
        case PlanState.WAITING:
            return f"waits for an approver, until {in_utc(plan.expires_at)}"
        case PlanState.APPLIED:
            return f"became run {run.pk}" if run else "became a run"
        case PlanState.REJECTED:
            return f"rejected by {plan.decided_by}{f': {plan.reason}' if plan.reason else ''}"
        case PlanState.EXPIRED:
            return f"expired at {in_utc(plan.expires_at)}"
    asks = [f"confirm {plan.confirmation}"] if plan.confirmation else []
    asks += [f"tick {', '.join(key for key, _ in plan.ticks)}"] if plan.ticks else []
    asks += ["an approver has to agree"] if plan.approval_asked else []
    return f"{'; '.join(asks) or 'nothing to confirm'}; until {in_utc(plan.expires_at)}"


def _line(row: PlanRow) -> dict[str, Any]:
    own = {name: getattr(row.plan, name) for name in PlanLine.model_fields if name not in ("id", "state", "maker")}
    return {**own, "id": row.plan.pk, "state": row.state, "maker": row.maker}
