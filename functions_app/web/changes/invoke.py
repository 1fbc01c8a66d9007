"""Invoke: a qualifier, a payload that is checked as it is typed, a mode; then the run."""

from contextlib import suppress
from dataclasses import dataclass

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
from functions_app.domain.changes.sent_payloads import SentPayload
from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.fleet.features import stored
from functions_app.domain.text import storable
from functions_app.models import Function, Run
from functions_app.services.changes import invoke as invocations
from functions_app.services.engine import plan_ends
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.inventory.runs.run_state import find_run
from functions_app.services.people import access
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, operator_required, page, status_of
from functions_app.web.misread import NUMBER

NOT_KEPT = SentPayload("", 0, payload_cut=False, redacted=False, exact=False)  # of a run from before an upgrade
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
    filled = _filled(request, pk)
    return _form(request, pk, filled, check_payload(filled.payload, filled.mode))


@dataclass(frozen=True)
class Filled:
    """What stands in the form; `again`: the run that it repeats, `anew`: why its payload must be entered once more."""

    qualifier: str = ""
    payload: str = "{}"
    mode: Mode = Mode.SYNC
    tenant: str = ""
    again: str = ""
    anew: str = ""


def _filled(request: HtmxHttpRequest, pk: int) -> Filled:
    """The form as a link opens it: for a qualifier, or as a run was sent (`again`), but for what was not kept."""
    run = _repeated(request.GET.get("again", ""))
    found = invocations.sent_in(run, pk) if run else None
    if run is None or found is None:
        return Filled(storable(request.GET.get("qualifier", ""))[:130])
    plan, sent = found
    anew = sent.why_anew if sent else "The payload was not kept"
    return Filled(
        plan.qualifier, "" if anew or sent is None else sent.payload, plan.mode, plan.tenant, str(run.pk), anew
    )


def _repeated(number: str) -> Run | None:
    return Run.objects.filter(pk=int(number)).first() if NUMBER.understands(number) else None


def _refuse_as_sent(again: str, pk: int, payload: str) -> None:
    """Raise INVALID where a run is repeated with what is shown of its payload, and not with what it sent."""
    run = _repeated(again)
    found = invocations.sent_in(run, pk) if run else None
    if found is not None:
        (found[1] or NOT_KEPT).refuse_as_sent(payload)


@operator_required
def _start(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    payload, qualifier = request.POST.get("payload", ""), request.POST.get("qualifier", "")
    tenant, once, actor = request.POST.get("tenant", ""), request.POST.get("once", ""), actor_of(request)
    mode, repeated = Mode.SYNC, request.POST.get("again", "")
    try:
        mode = parse_mode(request.POST.get("mode", Mode.SYNC.value))
        plan_id = invocations.identity(once, function, qualifier, payload, mode, actor, tenant)
        if run := plan_ends.became(plan_id):
            messages.info(request, "This form was sent before, and this is its run: nothing was sent again.")
            return redirect("run", pk=run.pk)
        refuse_old(once, clock.now())
        _refuse_as_sent(repeated, pk, payload)
        run = invocations.submit(function, qualifier, payload, mode, actor, tenant, plan_id)
    except DrydockError as error:
        if request.htmx:
            raise
        typed = Filled(
            qualifier, payload, mode, storable(tenant)[:256], repeated if NUMBER.understands(repeated) else ""
        )
        return _form(request, pk, typed, check_payload(payload, mode), error.problem)
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
    request: HtmxHttpRequest, pk: int, filled: Filled, found: PayloadCheck, problem: Problem | None = None
) -> HttpResponse:
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    context = {
        "function": function_head(pk),
        "tab": "invoke",
        "state": function.state,
        "timeout_s": function.timeout_s,
        "qualifiers": invocations.qualifiers(function),
        "filled": filled,
        "isolated": bool(stored(function.features).tenant_isolation),
        "once": _once(request.POST.get("once", "")),
        "modes": [(item.value, title, hint) for item, title, hint in MODES],
        "check": None if filled.anew else found,
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
