"""Counts what Django answers, by the name of the route: never by the path, which anybody may choose."""

from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

ANSWERED = Counter("drydock_requests", "Requests that this process answered.", ["route", "status"])
SECONDS = Histogram(
    "drydock_request_seconds",
    "How long this process took for them.",
    ["route"],
    buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
NO_ROUTE = "none"  # static files, and what is refused before there is a route


class RequestFigures:
    """Middleware, around all other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        began = perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = (match.view_name if match else "") or NO_ROUTE
        SECONDS.labels(route).observe(perf_counter() - began)
        ANSWERED.labels(route, f"{response.status_code // 100}xx").inc()
        return response
