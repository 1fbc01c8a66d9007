"""Refuses what no browser sends and PostgreSQL cannot hold: NUL characters in fields and cookies."""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict


class NulGuard:
    """Middleware: 400 for a NUL in address, query or a cookie, instead of an error later on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        if _holds_nul((request.path_info, *_texts(request.GET), *request.COOKIES.values())):
            return _refused()
        return self.get_response(request)


class NulFormGuard:
    """The same for a form; it stands behind the sign-in, so that nobody else's form is parsed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Django's hook: by now it is known whose the request is."""
        return _refused() if request.method == "POST" and _holds_nul(_texts(request.POST)) else None


def _texts(fields: QueryDict) -> Iterable[str]:
    return (text for name, values in fields.lists() for text in (name, *values))


def _holds_nul(texts: Iterable[str]) -> bool:
    return any("\0" in text for text in texts)


def _refused() -> HttpResponse:
    return HttpResponse("The request holds a NUL character.", status=400, content_type="text/plain")
