"""`GET /metrics` for Prometheus: open to whoever has DRYDOCK_METRICS_TOKEN, and without that variable to nobody.

An address would prove nothing: behind a proxy on the same host everybody comes from there.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from functions_app import clock
from functions_app.api.bearer import has_token
from functions_app.services.inventory import measurements


class _Installation(Collector):
    def collect(self) -> Iterable[Metric]:
        """What is the same whichever process is asked."""
        return measurements.measure(clock.now())


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The installation's figures, then this web process's own: requests, streams, memory."""
    if not settings.ENV.metrics_token:
        return _text(404, "There are no metrics here: DRYDOCK_METRICS_TOKEN is not set.\n")
    if not has_token(request, settings.ENV.metrics_token):
        response = _text(401, "Send the token as “Authorization: Bearer …”.\n")
        response["WWW-Authenticate"] = 'Bearer realm="drydock"'
        return response
    installation = CollectorRegistry(auto_describe=False)
    installation.register(_Installation())
    return _text(200, generate_latest(installation) + generate_latest(REGISTRY), CONTENT_TYPE_LATEST)


def _text(status: int, body: str | bytes, content_type: str = "text/plain; charset=utf-8") -> HttpResponse:
    return HttpResponse(body, status=status, content_type=content_type, headers={"Cache-Control": "no-store"})


urlpatterns = [path("metrics", metrics, name="metrics")]
