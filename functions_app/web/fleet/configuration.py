"""How a function is configured: a tab of its page. What needs values is compared in AWS, by a button."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_http_methods

from functions_app.domain.changes.configurations import Comparison
from functions_app.domain.text import storable
from functions_app.models import Function
from functions_app.services.changes import configurations
from functions_app.services.inventory.fleet.configuration import NOT_READ, NOT_TOLD, function_configuration
from functions_app.services.inventory.fleet.function import function_head
from functions_app.services.inventory.fleet.triggers import function_triggers
from functions_app.services.inventory.fleet.worth_knowing import worth_knowing
from functions_app.services.people import access
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.waiting import waits_for_aws


@require_http_methods(["GET", "HEAD", "POST"])
@waits_for_aws
def configuration(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """GET: by the snapshot. POST: the same with what AWS says now of the two versions."""
    return _compare(request, pk) if request.method == "POST" else _shown(request, pk, None)


@operator_required
def _compare(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    version, against = _asked(request)
    found = function_configuration(pk, version, against)
    other = found.against or found.shown.number
    return _shown(request, pk, configurations.compare(actor_of(request), function, found.shown.number, other))


def _asked(request: HtmxHttpRequest) -> tuple[str, str]:
    of = request.POST if request.method == "POST" else request.GET
    return storable(of.get("version", ""), 30).strip(), storable(of.get("against", ""), 30).strip()


def _shown(request: HtmxHttpRequest, pk: int, compared: Comparison | None) -> HttpResponse:
    head = function_head(pk)
    found, triggers = function_configuration(pk, *_asked(request)), function_triggers(pk)
    context = {
        "function": head,
        "tab": "configuration",
        "found": found,
        "worth": worth_knowing(Function.objects.get(pk=pk), found.shown, triggers.callers),
        "triggers": triggers,
        "compared": compared,
        "may_change": access.is_operator(actor_of(request)),
        "not_read": NOT_READ,
        "not_told": NOT_TOLD,
    }
    return page(request, "functions/configuration.html", context)


urlpatterns = [path("functions/<int:pk>/configuration/", configuration, name="function-configuration")]
