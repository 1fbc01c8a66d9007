"""Deploy and roll back: choose, look at the plan, confirm exactly that plan."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone

from functions_app.domain.deployments import AliasPlan, DeploymentPlan, RollbackPlan, is_production
from functions_app.domain.runs import Kind
from functions_app.models import Function, Plan
from functions_app.services import access, deployments, image_choices, inventory, plans, rollbacks
from functions_app.web.http import HtmxHttpRequest, operator_required, page

NEW_ALIAS = "alias_new"


def deploy(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: the form (for htmx, the list of images). POST: make the plan and go to it."""
    if request.method == "POST":
        return _plan_deployment(request, pk)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    function = _function(pk)
    search = request.GET.get("q", "").replace("\0", "").strip()[:200]
    chosen = request.GET.get("image", "").replace("\0", "")[:600]
    found = image_choices.choices(function, search)
    context = {
        "function": inventory.function_head(pk),
        "tab": "deploy",
        "choices": found,
        "shown": image_choices.SHOWN,
        "search": search,
        "chosen": chosen if any(choice.reference == chosen for choice in found) else "",
        "typed": "" if any(choice.reference == chosen for choice in found) else chosen,
        "repository": image_choices.repository_uri(function),
        "aliases": list(function.aliases.order_by("name")),
        "chosen_alias": request.GET.get("alias", ""),
        "rollbacks": rollbacks.targets(function),
        "blocked": _why_not(request),
    }
    return page(request, "deployments/deploy.html", context, partial="images")


@operator_required
def _plan_deployment(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    image = request.POST.get("image_typed", "").strip() or request.POST.get("image", "")
    alias = request.POST.get(NEW_ALIAS, "").strip() or request.POST.get("alias", "")
    made = deployments.plan(_function(pk), image, alias, request.user)
    if made.stored is None:
        return _refused(request, pk, made.plan)
    return redirect("plan", plan_id=made.stored.pk)


@operator_required
def roll_back(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST alias and version: make the plan and go to it."""
    made = rollbacks.plan(_function(pk), request.POST.get("alias", ""), request.POST.get("version", ""), request.user)
    if made.stored is None:
        return _refused(request, pk, made.plan)
    return redirect("plan", plan_id=made.stored.pk)


def show_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """The plan card with its button, or why it can't be confirmed any more."""
    stored = plans.load(plan_id, request.user)
    kind = Kind(stored.kind)
    if kind not in (Kind.DEPLOYMENT, Kind.ROLLBACK):
        run = plans.run_of(stored)
        return redirect("run", pk=run.pk) if run else redirect("functions")
    frozen = DeploymentPlan.from_json(stored.body) if kind is Kind.DEPLOYMENT else RollbackPlan.from_json(stored.body)
    return page(request, "deployments/plan.html", _plan_context(request, stored.body["function_id"], frozen, stored))


@operator_required
def apply_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Confirm: the plan becomes a run, once."""
    run = plans.apply(plan_id, request.user, request.POST.get("confirm", ""))
    return redirect("run", pk=run.pk)


def _refused(request: HtmxHttpRequest, pk: int, frozen: AliasPlan) -> HttpResponse:
    """A plan that a check forbids: shown with its reasons, and nothing to confirm."""
    return page(request, "deployments/plan.html", _plan_context(request, pk, frozen, None), status=422)


def _plan_context(request: HtmxHttpRequest, pk: int, frozen: AliasPlan, stored: Plan | None) -> dict[str, object]:
    deploys = isinstance(frozen, DeploymentPlan)
    version = "a new version" if deploys else f"version {frozen.to_version}" if isinstance(frozen, RollbackPlan) else ""
    failed = [check for check in frozen.checks if check.ok is False]
    return {
        "function": inventory.function_head(pk),
        "tab": "deploy",
        "plan": frozen,
        "deploys": deploys,
        "to_version": version,
        "failed": failed,
        "warned": [check for check in frozen.checks if check.ok is None],
        "stored": stored,
        "run": plans.run_of(stored) if stored else None,
        "expired": bool(stored and stored.expires_at <= timezone.now()),
        "production": is_production(frozen.alias),
        "button": f"Deploy and point {frozen.alias} to it" if deploys else f"Point {frozen.alias} back to {version}",
        "again": _again(pk, frozen),
        "blocked": _why_not(request),
    }


def _again(pk: int, frozen: AliasPlan) -> str:
    """The form with the same choice, for a plan that can't be confirmed."""
    if not isinstance(frozen, DeploymentPlan):
        return reverse("function-deploy", args=[pk])
    query = {"image": frozen.image, "alias": frozen.alias}
    return reverse("function-deploy", args=[pk], query=query)


def _why_not(request: HtmxHttpRequest) -> str:
    """Why this person can't press the button; '' for operators."""
    return "" if access.is_operator(request.user) else "Only operators may change functions; you may look."


def _function(pk: int) -> Function:
    return get_object_or_404(Function.objects.select_related("account"), pk=pk)


urlpatterns = [
    path("functions/<int:pk>/deploy/", deploy, name="function-deploy"),
    path("functions/<int:pk>/rollback/", roll_back, name="function-rollback"),
    path("plans/<uuid:plan_id>/", show_plan, name="plan"),
    path("plans/<uuid:plan_id>/apply/", apply_plan, name="plan-apply"),
]
