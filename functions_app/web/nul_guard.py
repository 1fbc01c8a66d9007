"""What no field can hold: NUL characters are refused, and what no page may show is taken out where it enters."""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from functions_app.domain.errors import Code, Problem
from functions_app.domain.text import storable
from functions_app.streams import machines

AS_SENT = ("payload", "password", "old_password", "new_password")  # beginnings of names: what is sent on, or hashed


class NulGuard:
    """Middleware: 400 for a NUL in address, query or a cookie, not an error later on; a query is made storable."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        if _holds_nul((request.path_info, *_texts(request.GET), *request.COOKIES.values())):
            return _refused(request)
        request.GET = _made_storable(request.GET)  # type: ignore[assignment]
        return self.get_response(request)


class NulFormGuard:
    """The same for a form; it stands behind the sign-in, so that nobody else's form is parsed, nor a machine's body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> HttpResponse | None:
        """Django's hook: by now it is known whose the request is."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None  # a machine's door takes no form, and reads its body itself
        if _holds_nul(_texts(request.POST)):
            return _refused(request)
        request.POST = _made_storable(request.POST)  # type: ignore[assignment]
        return None


def _texts(fields: QueryDict) -> Iterable[str]:
    return (text for name, values in fields.lists() for text in (name, *values))


def _holds_nul(texts: Iterable[str]) -> bool:
    return any("\0" in text for text in texts)


def _made_storable(fields: QueryDict) -> QueryDict:
    """The fields without control characters and the like, but those that stay as they were sent."""
    kept = QueryDict(mutable=True)
    for name, values in fields.lists():
        kept.setlist(storable(name), values if name.startswith(AS_SENT) else [storable(value) for value in values])
    kept._mutable = False
    return kept


def _refused(request: HttpRequest) -> HttpResponse:
    problem = Problem(Code.INVALID, "The request holds a NUL character.")
    if machines.are_asked_for(request.path):
        return machines.refused(request, problem.details)
    return HttpResponse(problem.message, status=400, content_type="text/plain")
