"""Invoke: a qualifier, a payload that is checked as it is typed, a mode; then the run."""

from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path

from functions_app import clock
from functions_app.domain.changes.invocations import (
    Mode,
    PayloadCheck,
    check_payload,
    new_once,
    parse_mode,
    refuse_old,
)
from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.fleet.features import stored
from functions_app.domain.text import storable
from functions_app.models import Function
from functions_app.services.changes import invoke as invocations
from functions_app.services.engine import plans
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.inventory.runs.run_state import find_run
from functions_app.services.people import access
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, operator_required, page, status_of

MODES = (
    (Mode.SYNC, "Wait for the answer", "up to 6 MB; the log is followed while it runs"),
    (Mode.ASYNC, "Asynchronously", "up to 1 MB; Lambda queues it and answers 202 at once"),
    (Mode.DRY_RUN, "Dry run", "checks that it would be allowed; the function does not run"),
)


def invoke(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: the form. POST: check, start the run and go to it; a mistake shows the form again with what was typed."""
    if request.method == "POST":
        return _start(request, pk)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    return _form(request, pk, request.GET.get("qualifier", ""), "{}", Mode.SYNC, check_payload("{}", Mode.SYNC))


@operator_required
def _start(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    payload, qualifier = request.POST.get("payload", ""), request.POST.get("qualifier", "")
    tenant, once, actor = request.POST.get("tenant", ""), request.POST.get("once", ""), actor_of(request)
    mode = Mode.SYNC
    try:
        mode = parse_mode(request.POST.get("mode", Mode.SYNC.value))
        plan_id = invocations.identity(once, function, qualifier, payload, mode, actor, tenant)
        if run := plans.became(plan_id):
            messages.info(request, "This form was sent before, and this is its run: nothing was sent again.")
            return redirect("run", pk=run.pk)
        refuse_old(once, clock.now())
        run = invocations.submit(function, qualifier, payload, mode, actor, tenant, plan_id)
    except DrydockError as error:
        if request.htmx:
            raise
        return _form(request, pk, qualifier, payload, mode, check_payload(payload, mode), error.problem)
    return redirect("run", pk=run.pk)


@operator_required
def again(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Invoke once more what AWS says was not executed."""
    return redirect("run", pk=invocations.again(find_run(pk), actor_of(request)).pk)


@operator_required
def check(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """What is typed, as JSON: for htmx while somebody types."""
    del pk
    mode = parse_mode(request.POST.get("mode", Mode.SYNC.value))
    found = check_payload(request.POST.get("payload", ""), mode)
    return render(request, "invocations/invoke.html#check", {"check": found})


def _form(
    request: HtmxHttpRequest,
    pk: int,
    qualifier: str,
    payload: str,
    mode: Mode,
    found: PayloadCheck,
    problem: Problem | None = None,
) -> HttpResponse:
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    context = {
        "function": function_head(pk),
        "tab": "invoke",
        "state": function.state,
        "timeout_s": function.timeout_s,
        "qualifiers": invocations.qualifiers(function),
        "qualifier": qualifier,
        "payload": payload,
        "isolated": bool(stored(function.features).tenant_isolation),
        "tenant": storable(request.POST.get("tenant", ""))[:256],
        "once": _once(request.POST.get("once", "")),
        "mode": mode.value,
        "modes": [(item.value, title, hint) for item, title, hint in MODES],
        "check": found,
        "blocked": ""
        if access.is_operator(actor_of(request))
        else "Only operators may invoke functions; you may look.",
        **explained(problem),
    }
    return page(request, "invocations/invoke.html", context, partial="form", status=status_of(problem))


def _once(sent: str) -> str:
    """That of the form that was refused, so that a second one does not send it twice; a new one where it is old."""
    now = clock.now()
    with suppress(DrydockError):
        refuse_old(sent, now)
        return storable(sent)[:64] or new_once(now)
    return new_once(now)


urlpatterns = [
    path("functions/<int:pk>/invoke/", invoke, name="function-invoke"),
    path("functions/<int:pk>/invoke/check/", check, name="invoke-check"),
    path("runs/<int:pk>/invoke-again/", again, name="run-invoke-again"),
]
