"""Patch a function onto the current release of its base, and undo that: what could be done, the plans, the undo."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse

from functions_app.domain.changes.checks import forbidding, ownership_check
from functions_app.domain.changes.deploying_tools import tools_line
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.rebuild_offers import rebuild_offers
from functions_app.domain.changes.patching.undos import UndoPlan
from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.refs import is_digest
from functions_app.models import Function, Plan, Run
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import rebuilds
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.changes.patching.targets import targets
from functions_app.services.changes.smoke import smoke_of
from functions_app.services.engine import plans
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.inventory.patches import base_findings, last_patch, reading_of, standing_on
from functions_app.web.changes.plan_context import plan_context, why_not
from functions_app.web.http import (
    HtmxHttpRequest,
    actor_of,
    explained,
    operator_required,
    page,
    status_of,
)
from functions_app.web.waiting import waits_for_aws

PLAN, TARGETS, UNDO = "patches/plan.html", "patches/targets.html", "patches/undo.html"


@waits_for_aws
def patch(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: what of the function is behind. POST digest: read what must be read first, else make the plan, go to it.

    latest=keep: where $LATEST isn't what is live, leave it as it was.
    """
    looks = request.method in ("GET", "HEAD")
    return _targets(request, pk, _digest(request.GET.get("digest"))) if looks else _plan(request, pk)


@operator_required
def _plan(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    function, actor, digest = _function(pk), actor_of(request), _digest(request.POST.get("digest"))
    try:
        if reading := patching.reading_first(function, digest, actor):
            query = {"digest": digest, "reading": reading.pk}
            return redirect(reverse("function-patch", args=[pk], query=query))
        made = patching.plan(function, actor, digest, keep_latest=request.POST.get("latest") == "keep")
    except DrydockError as error:
        if request.htmx:
            raise
        return _targets(request, pk, digest, error.problem)
    if made.stored is None:
        return page(request, PLAN, _plan_context(request, pk, made.plan, None), status=422)
    return redirect("plan", plan_id=made.stored.pk)


def _targets(request: HtmxHttpRequest, pk: int, digest: str, problem: Problem | None = None) -> HttpResponse:
    """What is live and behind, each with its button; while files are read, how far that is."""
    function = _function(pk)
    found = targets(function)
    reading = reading_of([target.image.pk for target in found])
    read = reading is not None and not (reading.active or reading.problem or problem)
    context = {
        "function": function_head(pk),
        "tab": "patch",
        "targets": found,
        "pipeline": rebuilds.pipeline(),
        "rebuilt": rebuilds.asked(function, found),
        "reading": reading,
        "at_once": reading.image_id if reading and read and request.GET.get("reading") == str(reading.run_id) else 0,
        "blocked": why_not(request),
        "smoke": smoke_of(function),
        "last": last_patch(pk),
        **explained(problem),
    }
    return page(request, TARGETS, context, status=status_of(problem))


def plan_page(request: HtmxHttpRequest, stored: Plan, problem: Problem | None) -> HttpResponse:
    """The plan of a patch with its button, or why it can't be confirmed any more."""
    frozen = PatchPlan.from_json(stored.body)
    context = _plan_context(request, stored.function_id or 0, frozen, stored)
    return page(request, PLAN, context | explained(problem), status=status_of(problem))


def _plan_context(request: HtmxHttpRequest, pk: int, frozen: PatchPlan, stored: Plan | None) -> dict[str, object]:
    function = _function(pk)
    behind, failed = targets(function), forbidding(frozen.checks)
    return {
        "function": function_head(pk),
        "tab": "patch",
        "plan": frozen,
        "failed": failed,
        "again": reverse("function-patch", args=[pk]),
        "others": [one for one in behind if one.digest != frozen.app_digest and one.image.base_stream],
        "findings": base_findings(frozen.base),
        "below": "" if failed else ownership_check(frozen.managed_by, "").text,  # the box with the line says it
        "tools": tools_line(frozen.managed_by, frozen.image_uri),
        "offers": rebuild_offers(frozen),
        "standing": standing_on(frozen.golden[0].stream_id, frozen.base.platform, pk) if frozen.golden else None,
        "pipeline": rebuilds.pipeline(),
        "rebuilt": rebuilds.asked(function, behind),
        **plan_context(request, stored),
    }


@waits_for_aws
def rebuild(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST digest: tell the team's pipeline to build this image anew. GET, as by Back: what is behind."""
    looks = request.method in ("GET", "HEAD")
    return redirect("function-patch", pk=pk) if looks else _rebuild(request, pk)


@operator_required
def _rebuild(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    digest = _digest(request.POST.get("digest"))
    try:
        rebuilds.ask(_function(pk), digest, actor_of(request))
    except DrydockError as error:
        if request.htmx:
            raise
        return _targets(request, pk, digest, error.problem)
    return redirect(reverse("function-patch", args=[pk], query={"digest": digest} if digest else None))


@waits_for_aws
def undo(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST: plan the undo of a patch; where nothing is to be typed it is applied at once. GET, as by Back: the run."""
    return redirect("run", pk=pk) if request.method in ("GET", "HEAD") else _undo(request, pk)


@operator_required
def _undo(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("function__account"), pk=pk)
    if before := undoing.under_way(run):  # pressed once more
        return redirect("run", pk=before.pk)
    made = undoing.plan(run, actor_of(request))
    if made.stored is None:
        return page(request, UNDO, _undo_context(request, run.function_id or 0, made.plan, None), status=422)
    if made.plan.confirm:
        return redirect("plan", plan_id=made.stored.pk)
    return redirect("run", pk=plans.apply(made.stored.pk, actor_of(request)).pk)  # of no production: nobody is asked


def undo_page(request: HtmxHttpRequest, stored: Plan, problem: Problem | None) -> HttpResponse:
    """The plan of an undo with its button."""
    context = _undo_context(request, stored.function_id or 0, UndoPlan.from_json(stored.body), stored)
    return page(request, UNDO, context | explained(problem), status=status_of(problem))


def _undo_context(request: HtmxHttpRequest, pk: int, frozen: UndoPlan, stored: Plan | None) -> dict[str, object]:
    return {
        "function": function_head(pk),
        "tab": "patch",
        "plan": frozen,
        "failed": forbidding(frozen.checks),
        "again": reverse("run", args=[frozen.run_id]),
        **plan_context(request, stored),
    }


def _digest(text: str | None) -> str:
    return text if text and is_digest(text) else ""


def _function(pk: int) -> Function:
    return get_object_or_404(Function.objects.select_related("account"), pk=pk)


urlpatterns: list[URLPattern] = [
    path("functions/<int:pk>/patch/", patch, name="function-patch"),
    path("functions/<int:pk>/rebuild/", rebuild, name="function-rebuild"),
    path("runs/<int:pk>/undo/", undo, name="run-undo"),
]
