"""A stored plan of any kind: its page, and its confirmation."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.domain.changes.approvals import PlanState
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import Kind
from functions_app.domain.text import storable
from functions_app.models import Plan, Run
from functions_app.services.engine import approvals, plan_ends, plans
from functions_app.services.inventory.plans import plan_list
from functions_app.services.inventory.tables.history import plan_table
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.changes import deploy, patch
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import page_links, page_number, table_links

PAGES: Mapping[str, Callable[[HtmxHttpRequest, Plan, Problem | None], HttpResponse]] = {
    Kind.DEPLOYMENT: deploy.plan_page,
    Kind.ROLLBACK: deploy.plan_page,
    Kind.PATCH: patch.plan_page,
    Kind.UNDO: patch.undo_page,
}


@require_safe
def show_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """The plan with its button, or why it can't be confirmed any more."""
    return _page(request, plans.load(plan_id, actor_of(request)))


def _page(request: HtmxHttpRequest, stored: Plan, problem: Problem | None = None) -> HttpResponse:
    if stored.kind == Kind.PATCH_LIST:
        return redirect("base-plan", plan_id=stored.pk)
    if stored.kind not in PAGES:
        run = plan_ends.run_of(stored)
        return redirect("run", pk=run.pk) if run else redirect("functions")
    return PAGES[stored.kind](request, stored, problem)


def apply_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Confirm: the plan becomes a run, once. GET, as after a refusal by reload or Back: the plan."""
    return redirect("plan", plan_id=plan_id) if request.method in ("GET", "HEAD") else _apply(request, plan_id)


@operator_required
def _apply(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Where an approver has to agree, it waits for one. Why it did not become a run is shown with the plan."""
    typed = storable(request.POST.get("confirm", "")).strip()[:600]
    ticked = request.POST.getlist("tick")
    return _done(request, plan_id, lambda: approvals.confirm(plan_id, actor_of(request), typed, ticked))


def approve_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Agree to somebody else's plan: it becomes a run."""
    looks = request.method in ("GET", "HEAD")
    return redirect("plan", plan_id=plan_id) if looks else _approve(request, plan_id)


@operator_required
def _approve(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    return _done(request, plan_id, lambda: approvals.approve(plan_id, actor_of(request)))


def reject_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Refuse somebody else's plan, or withdraw one's own."""
    looks = request.method in ("GET", "HEAD")
    return redirect("plan", plan_id=plan_id) if looks else _reject(request, plan_id)


@operator_required
def _reject(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _done(request, plan_id, lambda: approvals.reject(plan_id, actor_of(request), reason))


def _done(request: HtmxHttpRequest, plan_id: UUID, act: Callable[[], Run | Plan]) -> HttpResponse:
    """On to the run, or back to the plan, which says how it stands, and why something was refused."""
    try:
        done = act()
    except DrydockError as error:
        if request.htmx or error.problem.code in (Code.NOT_FOUND, Code.DENIED):
            raise
        return _page(request, plans.load(plan_id, actor_of(request)), error.problem)
    return redirect("run", pk=done.pk) if isinstance(done, Run) else redirect("plan", plan_id=done.pk)


@require_safe
def listed(request: HtmxHttpRequest) -> HttpResponseBase:
    """The plans that wait for an approval: one's own, and for approvers everybody's; as CSV and JSON, too."""
    if wants_table(request):
        return table_answer(request, plan_table(actor_of(request), PlanState.WAITING))
    found = plan_list(actor_of(request), PlanState.WAITING, page_number(request.GET))
    context = {
        "found": found,
        "tables": table_links(request.GET),
        "pages": page_links(found.number, found.last, lambda number: f"?page={number}"),
    }
    return page(request, "plans/list.html", context)


urlpatterns: list[URLPattern] = [
    path("plans/<uuid:plan_id>/", show_plan, name="plan"),
    path("plans/<uuid:plan_id>/apply/", apply_plan, name="plan-apply"),
    path("plans/<uuid:plan_id>/approve/", approve_plan, name="plan-approve"),
    path("plans/<uuid:plan_id>/reject/", reject_plan, name="plan-reject"),
    path("plans/", listed, name="plans"),
]
