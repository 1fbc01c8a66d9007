"""What pages and hooks answer while the database takes nothing or gives nothing: 503, the cause, what to do."""

import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_htmx.middleware import HtmxDetails

from functions_app.domain.database_troubles import Trouble
from functions_app.domain.errors import Code, Problem
from functions_app.services.engine.database_state import AGAIN_IN, recent, trouble_of
from functions_app.streams import machines
from functions_app.web.http import bad_request as bad_request_page
from functions_app.web.http import server_error as server_error_page
from functions_app.web.http import toast, wants_partial

SAFE = ("GET", "HEAD", "OPTIONS")
FAILED = Problem(Code.FAILED, "Drydock itself failed. Nothing more is known here; its log has the details.")


class DatabaseGuard:
    """Middleware: does not try again at once what somebody else of this process has just tried in vain."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        trouble = recent.hinders(writes=request.method not in SAFE)
        return _unavailable(request, trouble) if trouble else self.get_response(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500 handler: an error of the database comes here from views, templates and sessions alike."""
    explained = _explained(request, sys.exception())
    if explained is None and machines.are_asked_for(request.path):
        return machines.refused(request, FAILED.details | {"status": 500})
    return explained or server_error_page(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400 handler: a session that can't be stored is no bad request, though Django takes it for one."""
    return _explained(request, exception) or bad_request_page(request, exception)


def _explained(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    trouble = trouble_of(error)
    if trouble is None:
        return None
    recent.found(trouble, f"{request.method} {request.path}", error)
    return _unavailable(request, trouble)


def _unavailable(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """Drawn without the frame, which would ask the database."""
    problem, response = trouble.problem, HttpResponse()
    if not hasattr(request, "htmx"):
        request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    if machines.are_asked_for(request.path):
        response = machines.refused(request, problem.details)
    elif wants_partial(request):
        response = toast(request, problem, status=problem.code.http_status)
    else:
        again = request.get_full_path() if request.method in SAFE else ""  # what was sent is not sent again by a link
        context = {"problem": problem, "title": problem.code.heading, "again": again}
        response = HttpResponse(render_to_string("errors/server_error.html", context))
    response.status_code = problem.code.http_status
    response["Retry-After"], response["Cache-Control"] = str(AGAIN_IN), "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # not each one with a traceback: `recent` has told it
    return response
