"""A stored plan of any kind: its page, and its confirmation."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import Kind
from functions_app.domain.text import storable
from functions_app.models import Plan
from functions_app.services.engine import plans
from functions_app.web.changes import deploy, patch
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required

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
        run = plans.run_of(stored)
        return redirect("run", pk=run.pk) if run else redirect("functions")
    return PAGES[stored.kind](request, stored, problem)


def apply_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Confirm: the plan becomes a run, once. GET, as after a refusal by reload or Back: the plan."""
    return redirect("plan", plan_id=plan_id) if request.method in ("GET", "HEAD") else _apply(request, plan_id)


@operator_required
def _apply(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Why it did not become a run is shown with the plan."""
    typed = storable(request.POST.get("confirm", "")).strip()[:600]
    try:
        run = plans.apply(plan_id, actor_of(request), typed, request.POST.getlist("tick"))
    except DrydockError as error:
        if request.htmx or error.problem.code in (Code.NOT_FOUND, Code.DENIED):
            raise
        return _page(request, plans.load(plan_id, actor_of(request)), error.problem)
    return redirect("run", pk=run.pk)


urlpatterns: list[URLPattern] = [
    path("plans/<uuid:plan_id>/", show_plan, name="plan"),
    path("plans/<uuid:plan_id>/apply/", apply_plan, name="plan-apply"),
]
