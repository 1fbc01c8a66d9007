"""Deploy and roll back: choose, look at the plan, confirm exactly that plan."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.domain.changes.checks import forbidding
from functions_app.domain.changes.deployments import AliasPlan, DeploymentPlan, RollbackPlan
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import Kind
from functions_app.domain.text import storable
from functions_app.models import Function, Plan
from functions_app.services.changes import deploy as deployments
from functions_app.services.changes import image_choices
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Planned
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.people import access
from functions_app.services.snapshot.rollback_targets import targets
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, operator_required, page, status_of
from functions_app.web.waiting import waits_for_aws

NEW_ALIAS = "alias_new"
AliasPlanned = Planned[DeploymentPlan] | Planned[RollbackPlan]


@dataclass(frozen=True)
class Filled:
    """The deploy form as somebody filled it in."""

    image: str = ""
    typed: str = ""
    alias: str = ""
    alias_new: str = ""


@waits_for_aws
def deploy(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: the form (for htmx, the list of images). POST: make the plan and go to it."""
    if request.method == "POST":
        return _plan_deployment(request, pk)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    return _form(request, pk, Filled(image=_text(request.GET, "image"), alias=_text(request.GET, "alias")))


@operator_required
def _plan_deployment(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    filled = Filled(*(_text(request.POST, name) for name in ("image", "image_typed", "alias", NEW_ALIAS)))
    image, alias = filled.typed or filled.image, filled.alias_new or filled.alias
    return _planned(request, pk, filled, lambda function: deployments.plan(function, image, alias, actor_of(request)))


@waits_for_aws
def roll_back(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST alias and version: make the plan and go to it. GET, as after a refusal by reload or Back: the form."""
    return redirect("function-deploy", pk) if request.method in ("GET", "HEAD") else _plan_rollback(request, pk)


@operator_required
def _plan_rollback(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    alias, version = _text(request.POST, "alias"), _text(request.POST, "version")
    return _planned(request, pk, Filled(), lambda function: rollbacks.plan(function, alias, version, actor_of(request)))


def _planned(
    request: HtmxHttpRequest, pk: int, filled: Filled, make: Callable[[Function], AliasPlanned]
) -> HttpResponse:
    """Go to the plan that is made; the form where it can't be, the plan with its reasons where a check forbids it."""
    try:
        made = make(_function(pk))
    except DrydockError as error:
        if request.htmx:
            raise
        return _form(request, pk, filled, error.problem)
    if made.stored is None:
        return _refused(request, pk, made.plan)
    return redirect("plan", plan_id=made.stored.pk)


@require_safe
def show_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """The plan card with its button, or why it can't be confirmed any more."""
    return _stored_plan(request, plans.load(plan_id, actor_of(request)))


def _stored_plan(request: HtmxHttpRequest, stored: Plan, problem: Problem | None = None) -> HttpResponse:
    kind = Kind(stored.kind)
    if kind is Kind.PATCH_LIST:
        return redirect("base-plan", plan_id=stored.pk)
    if kind not in (Kind.DEPLOYMENT, Kind.ROLLBACK):
        run = plans.run_of(stored)
        return redirect("run", pk=run.pk) if run else redirect("functions")
    frozen = DeploymentPlan.from_json(stored.body) if kind is Kind.DEPLOYMENT else RollbackPlan.from_json(stored.body)
    context = _plan_context(request, stored.function_id or 0, frozen, stored)
    return page(request, "deployments/plan.html", context | explained(problem), status=status_of(problem))


def apply_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Confirm: the plan becomes a run, once. GET, as after a refusal by reload or Back: the plan."""
    return redirect("plan", plan_id=plan_id) if request.method in ("GET", "HEAD") else _apply(request, plan_id)


@operator_required
def _apply(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Why it did not become a run is shown with the plan."""
    try:
        run = plans.apply(plan_id, actor_of(request), _text(request.POST, "confirm"), request.POST.getlist("tick"))
    except DrydockError as error:
        if request.htmx or error.problem.code in (Code.NOT_FOUND, Code.DENIED):
            raise
        return _stored_plan(request, plans.load(plan_id, actor_of(request)), error.problem)
    return redirect("run", pk=run.pk)


def _form(request: HtmxHttpRequest, pk: int, filled: Filled, problem: Problem | None = None) -> HttpResponse:
    """The form, with what was filled in and why it was refused."""
    function = _function(pk)
    search = _text(request.GET, "q")[:200]
    found = image_choices.choices(function, search)
    listed = any(choice.reference == filled.image for choice in found)
    context = {
        "function": function_head(pk),
        "tab": "deploy",
        "choices": found,
        "own_account": function.account_id,
        "shown": image_choices.SHOWN,
        "search": search,
        "chosen": filled.image if listed else "",
        "typed": filled.typed or ("" if listed else filled.image),
        "repository": image_choices.repository_uri(function),
        "aliases": list(function.aliases.order_by("name")),
        "chosen_alias": filled.alias,
        "alias_new": filled.alias_new,
        "rollbacks": targets(function),
        "blocked": _why_not(request),
        **explained(problem),
    }
    return page(request, "deployments/deploy.html", context, partial="images", status=status_of(problem))


def _text(given: QueryDict, name: str) -> str:
    """One field as typed, without what no field can hold."""
    return storable(given.get(name, "")).strip()[:600]


def _refused(request: HtmxHttpRequest, pk: int, frozen: AliasPlan) -> HttpResponse:
    """A plan that a check forbids: shown with its reasons, and nothing to confirm."""
    return page(request, "deployments/plan.html", _plan_context(request, pk, frozen, None), status=422)


def _plan_context(request: HtmxHttpRequest, pk: int, frozen: AliasPlan, stored: Plan | None) -> dict[str, object]:
    if isinstance(frozen, RollbackPlan):
        version = f"version {frozen.to_version}"
        heading = f"Roll {frozen.alias} {frozen.direction}"
        button = f"Point {frozen.alias} {frozen.direction} to {version}"
    else:
        version, heading = "a new version", f"Deploy to {frozen.alias}"
        button = f"Deploy and point {frozen.alias} to it"
    return {
        "function": function_head(pk),
        "tab": "deploy",
        "plan": frozen,
        "heading": heading,
        "to_version": version,
        "failed": forbidding(frozen.checks),
        "stored": stored,
        "run": plans.run_of(stored) if stored else None,
        "expired": bool(stored and stored.expires_at <= clock.now()),
        "button": button,
        "ticked": request.POST.getlist("tick"),
        "again": _again(pk, frozen),
        "blocked": _why_not(request) or _awaits_approval(request, stored),
    }


def _again(pk: int, frozen: AliasPlan) -> str:
    """The form with the same choice, for a plan that can't be confirmed."""
    if not isinstance(frozen, DeploymentPlan):
        return reverse("function-deploy", args=[pk])
    query = {"image": frozen.image, "alias": frozen.alias}
    return reverse("function-deploy", args=[pk], query=query)


def _why_not(request: HtmxHttpRequest) -> str:
    """Why this person can't press the button; '' for operators."""
    return "" if access.is_operator(actor_of(request)) else "Only operators may change functions; you may look."


def _awaits_approval(request: HtmxHttpRequest, stored: Plan | None) -> str:
    """Why the maker of a plan can't confirm it; '' for an approver, and where no approval is asked."""
    if stored is None or not stored.approval_asked or stored.maker_id != request.user.pk:
        return ""
    return "An approver confirms this plan, not its maker: give its address to one."


def _function(pk: int) -> Function:
    return get_object_or_404(Function.objects.select_related("account"), pk=pk)


urlpatterns = [
    path("functions/<int:pk>/deploy/", deploy, name="function-deploy"),
    path("functions/<int:pk>/rollback/", roll_back, name="function-rollback"),
    path("plans/<uuid:plan_id>/", show_plan, name="plan"),
    path("plans/<uuid:plan_id>/apply/", apply_plan, name="plan-apply"),
]
