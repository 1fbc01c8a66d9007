"""Read what calls a function, for the tab Configuration."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from functions_app.models import Function
from functions_app.services.sync import triggers as readings
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required
from functions_app.web.waiting import waits_for_aws


@require_http_methods(["GET", "HEAD", "POST"])
@waits_for_aws
def triggers(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST: ask AWS, then show it. GET, as after a refusal: where it is shown."""
    return _read(request, pk) if request.method == "POST" else _shown(pk)


@operator_required
def _read(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    readings.read(actor_of(request), get_object_or_404(Function.objects.select_related("account"), pk=pk))
    return _shown(pk)


def _shown(pk: int) -> HttpResponse:
    return redirect(f"{reverse('function-configuration', args=[pk])}#triggers")


urlpatterns = [path("functions/<int:pk>/triggers/", triggers, name="function-triggers")]
