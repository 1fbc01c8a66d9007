"""Deploy and roll back: choose, look at the plan, confirm exactly that plan."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse

from functions_app.domain.changes.aliases import check_alias_name
from functions_app.domain.changes.checks import forbidding
from functions_app.domain.changes.deployments import AliasPlan, DeploymentPlan, RollbackPlan
from functions_app.domain.errors import Code, DrydockError, Problem, about
from functions_app.domain.runs import Kind
from functions_app.domain.text import storable
from functions_app.models import Function, Plan
from functions_app.services.changes import deploy as deployments
from functions_app.services.changes import image_choices
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.changes.image_references import read_reference, repository_uri, understood
from functions_app.services.engine.plans import Planned
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.people import accounts
from functions_app.services.snapshot.rollback_targets import targets
from functions_app.web.changes.plan_context import plan_context, why_not
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, operator_required, page, status_of
from functions_app.web.waiting import waits_for_aws

NEW_ALIAS = "alias_new"
# Said beside the field that it is about; anything else (AWS refuses, throttles) is no fault of what was typed.
BESIDE = (Code.INVALID, Code.NOT_FOUND, Code.AMBIGUOUS, Code.PREFLIGHT)
AliasPlanned = Planned[DeploymentPlan] | Planned[RollbackPlan]


@dataclass(frozen=True)
class Filled:
    """The deploy form as somebody filled it in."""

    image: str = ""
    typed: str = ""
    alias: str | None = None  # not filled in yet
    alias_new: str = ""


@waits_for_aws
def deploy(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: the form (for htmx, the list of images). POST: make the plan and go to it."""
    if request.method == "POST":
        return _plan_deployment(request, pk)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    given = {"alias": _text(request.GET, "alias")} if "alias" in request.GET else {}
    return _form(request, pk, Filled(_text(request.GET, "image"), _text(request.GET, "image_typed"), **given))


@operator_required
def _plan_deployment(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    filled = Filled(*(_text(request.POST, name) for name in ("image", "image_typed", "alias", NEW_ALIAS)))
    image, alias = filled.typed or filled.image, filled.alias_new or filled.alias or ""
    if wrong := _wrong(_function(pk), image, alias):
        return _form(request, pk, filled, *wrong)
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
        return _form(request, pk, filled, error)
    if made.stored is None:
        return _refused(request, pk, made.plan)
    return redirect("plan", plan_id=made.stored.pk)


def plan_page(request: HtmxHttpRequest, stored: Plan, problem: Problem | None) -> HttpResponse:
    """The plan card with its button, or why it can't be confirmed any more."""
    kind = DeploymentPlan if stored.kind == Kind.DEPLOYMENT else RollbackPlan
    context = _plan_context(request, stored.function_id or 0, kind.from_json(stored.body), stored)
    return page(request, "deployments/plan.html", context | explained(problem), status=status_of(problem))


def _wrong(function: Function, image: str, alias: str) -> list[DrydockError]:
    """What can be told of the fields without AWS: of all that are wrong, not of the first alone."""
    found = []
    for field, read in (("image", lambda: read_reference(image, function)), ("alias", lambda: check_alias_name(alias))):
        try:
            with about(field):
                read()
        except DrydockError as error:
            found.append(error)
    return found


def _form(request: HtmxHttpRequest, pk: int, filled: Filled, *refused: DrydockError) -> HttpResponse:
    """The form, with what was filled in and why it was refused: beside the field, where it is about one."""
    function = _function(pk)
    search = (_text(request.GET, "q") or (filled.typed if request.method == "GET" else ""))[:400]
    known = understood(search, function)
    every = bool(request.GET.get("all"))
    found = image_choices.choices(function, known.reference if known else search, every=every)
    listed = any(choice.reference == filled.image for choice in found)
    aliases = list(function.aliases.order_by("name"))
    names = accounts.production(function.account).first(each.name for each in aliases)
    chosen = next(iter(names), "") if filled.alias is None else filled.alias
    wrong = {error.about: error.problem for error in refused if error.about and error.problem.code in BESIDE}
    problem = next((error.problem for error in refused), None)
    context = {
        "function": function_head(pk),
        "tab": "deploy",
        "choices": found,
        "own_account": function.account_id,
        "shown": image_choices.SHOWN,
        "search": search,
        "understood": known,
        "every": every,
        "wrong": wrong,
        "at": next(iter(wrong), "" if request.htmx else "image"),
        "chosen": filled.image if listed else "",
        "typed": filled.typed or ("" if listed else filled.image),
        "repository": repository_uri(function),
        "aliases": aliases,
        "chosen_alias": chosen,
        "alias_new": filled.alias_new,
        "rollbacks": targets(function),
        "blocked": why_not(request),
        **explained(None if wrong else problem),
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
        "button": button,
        "again": _again(pk, frozen),
        **plan_context(request, stored),
    }


def _again(pk: int, frozen: AliasPlan) -> str:
    """The form with the same choice, for a plan that can't be confirmed."""
    if not isinstance(frozen, DeploymentPlan):
        return reverse("function-deploy", args=[pk])
    query = {"image": frozen.image, "alias": frozen.alias}
    return reverse("function-deploy", args=[pk], query=query)


def _function(pk: int) -> Function:
    return get_object_or_404(Function.objects.select_related("account"), pk=pk)


urlpatterns = [
    path("functions/<int:pk>/deploy/", deploy, name="function-deploy"),
    path("functions/<int:pk>/rollback/", roll_back, name="function-rollback"),
]
