"""Refuses what no browser sends and PostgreSQL cannot hold: NUL characters in fields and cookies."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class NulGuard:
    """Middleware: 400 for a NUL in address, query, form or a cookie, instead of an error later on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        if _holds_nul(request):
            return HttpResponse("The request holds a NUL character.", status=400, content_type="text/plain")
        return self.get_response(request)


def _holds_nul(request: HttpRequest) -> bool:
    fields = [request.GET, request.POST] if request.method == "POST" else [request.GET]
    texts = [text for field in fields for name, values in field.lists() for text in (name, *values)]
    return any("\0" in text for text in (request.path_info, *texts, *request.COOKIES.values()))
