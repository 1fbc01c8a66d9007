"""What every view shares: full page or partial, errors as toast or page, and who may change things."""

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.context import make_context
from django.template.loader import render_to_string, select_template
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.safestring import SafeString
from django_htmx.middleware import HtmxDetails

from functions_app.domain import limits
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.text import storable
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.streams import machines

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)
_OPEN = "open_to_all"
_TOO_MUCH: dict[type[Exception], str] = {
    RequestDataTooBig: f"The form has more than {limits.FORM:,} bytes.",
    TooManyFieldsSent: f"The form or the address has more than {limits.FIELDS:,} fields.",
    TooManyFilesSent: "The form holds a file, and no form of Drydock takes one.",
}


class HtmxHttpRequest(HttpRequest):
    """A request of a person who is logged in (LoginRequiredMiddleware), with htmx's headers read."""

    htmx: HtmxDetails
    user: User


def actor_of(request: HttpRequest) -> Actor:
    """Who sent a request of the browser."""
    return Actor.in_browser(request.user)


def wants_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page: not for history, and not when it replaces the whole body."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request and htmx.request_type != "full"


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, partial: str = "rows", status: int = 200
) -> HttpResponse:
    """Answer with the whole page, or with its partial when htmx asks for that and the page has one."""
    names = [f"{template}#{partial}", template] if wants_partial(request) else [template]
    response = HttpResponse(_drawn(request, names, context), status=status)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    patch_cache_control(response, private=True, no_store=True)
    return response


def _drawn(request: HttpRequest, names: Sequence[str], context: dict[str, Any]) -> SafeString:
    """The first of these templates that there is, with nothing of it left for the collector of garbage.

    Django's contexts hold themselves by their dictionaries: what a page shows would wait, with that of the pages after
    it, for a collection that holds every thread up.
    """
    template = select_template(names)
    drawn = make_context(context, request)
    try:
        text: SafeString = template.template.render(drawn)
    finally:
        drawn.dicts.clear()
    return text


def toast(request: HttpRequest, problem: Problem, *, status: int) -> HttpResponse:
    """Put a message into the page's corner, whatever the request was aimed at."""
    body = render_to_string("errors/_toast.html", {"problem": problem, "title": problem.code.heading}, request)
    return HttpResponse(body, status=status, headers={"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Show a problem: as JSON to a machine, as a toast to htmx, as a page otherwise, with its HTTP status."""
    status = problem.code.http_status
    if machines.are_asked_for(request.path):
        return machines.refused(request, problem.details)
    if wants_partial(request):
        return toast(request, problem, status=status)
    context = {"problem": problem, "title": problem.code.heading, "status": status}
    return render(request, "errors/problem.html", context, status=status)


def explained(problem: Problem | None) -> dict[str, object]:
    """What errors/_note.html needs: a page shows beside its form why it was refused."""
    return {"problem": problem, "problem_title": problem.code.heading if problem else ""}


def status_of(problem: Problem | None) -> int:
    """The HTTP status of a page that shows this problem."""
    return problem.code.http_status if problem else 200


def open_to_all(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Mark a view that is open to everybody who is signed in, in a group or not: it shows nothing of the fleet."""
    setattr(view, _OPEN, True)
    return view


class SignedIn(LoginRequiredMiddleware):
    """Asks for a sign-in, and leads back from there: to the page whose form was sent, not to where it was sent.

    Who is signed in and in no group sees nothing: a page says so, and whom to ask.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *arguments: Any
    ) -> HttpResponseBase | None:
        """Django's hook: the one place where people without a group are refused."""
        refused = super().process_view(request, view_func, *arguments)
        if refused or not getattr(view_func, "login_required", True) or getattr(view_func, _OPEN, False):
            return refused
        return None if access.may_look(actor_of(request)) else _no_group(request)

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        """The way to the sign-in page. What was posted is not sent again: the person sees the page, and decides."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        return redirect_to_login(_page_before(request), self.get_login_url(view_func))


def _no_group(request: HttpRequest) -> HttpResponse:
    names = access.administrators(3)
    whom = " or ".join(names) or "whoever runs this installation"
    problem = Problem(
        Code.DENIED,
        "You may not look at anything here yet: your account is in no group.",
        f"Ask {whom} to make you a viewer or an operator.",
    )
    if wants_partial(request):
        return toast(request, problem, status=403)
    return render(request, "errors/no_group.html", {"problem": problem}, status=403)


def _page_before(request: HttpRequest) -> str:
    """The page of ours that a request was sent from, "/" where its browser does not tell."""
    before = urlsplit(request.headers.get("Referer", ""))
    return before._replace(scheme="", netloc="", fragment="").geturl() if before.netloc == request.get_host() else "/"


class ProblemMiddleware:
    """Turns a DrydockError raised by a view, and a method that it doesn't take, into what the person sees."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content and hasattr(request, "user"):
            allowed = response["Allow"]
            response = _not_taken(request, allowed)
            response["Allow"] = allowed
        if not response.has_header("Cache-Control") and hasattr(request, "user"):
            patch_cache_control(response, private=True, no_store=True)  # nor does a browser show it after the sign-out
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook; anything but a DrydockError goes on to the 500 page."""
        if isinstance(exception, DrydockError):
            return problem_response(request, exception.problem)
        return None


def _path(request: HttpRequest) -> str:
    return storable(request.path, 300)


def _not_taken(request: HttpRequest, allowed: str) -> HttpResponse:
    problem = Problem(
        Code.INVALID,
        f"{_path(request)} takes {allowed}, not {request.method}: it does something, and shows no page.",
        "Go back to the page that has the button.",
    )
    context = {"problem": problem, "title": "No page", "status": 405}
    if wants_partial(request):
        return toast(request, problem, status=405)
    return render(request, "errors/problem.html", context, status=405)


def operator_required(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Let only POST requests of operators through. Raises DENIED, which names what is missing; audited."""

    def guarded(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        name = request.resolver_match.view_name if request.resolver_match else ""
        access.require_operator(actor_of(request), name or "change", request.path)
        return view(request, *args, **kwargs)

    update_wrapper(guarded, view)
    return guarded


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404 handler."""
    del exception
    return problem_response(
        request,
        Problem(Code.NOT_FOUND, f"There is nothing at {_path(request)}.", "Look for it in Functions or Repositories."),
    )


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403 handler."""
    del exception
    return problem_response(
        request, Problem(Code.DENIED, "You may not do that.", "Ask somebody who administers Drydock for the right.")
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400 handler. What is wrong may be the host or the form itself: then no page can be drawn with them."""
    text = _TOO_MUCH.get(type(exception), "The request could not be read.")
    if isinstance(exception, DisallowedHost):
        text = "Drydock does not answer to this host name. Its administrator can add it to DRYDOCK_ALLOWED_HOSTS."
    if machines.are_asked_for(request.path):
        return machines.refused(request, Problem(Code.INVALID, text).details)
    if isinstance(exception, DisallowedHost) or not hasattr(request, "user"):
        return HttpResponse(text, status=400, content_type="text/plain")
    return problem_response(request, Problem(Code.INVALID, text, "Go back, reload the page and try again."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's handler for a form whose token is missing or too old."""
    del reason
    return problem_response(
        request,
        Problem(Code.DENIED, "This form is too old, or cookies are blocked.", "Reload the page and send it again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500 handler: it touches neither the database nor the session."""
    problem = Problem(Code.FAILED, "Drydock itself failed. Nothing more is known here; its log has the details.")
    if wants_partial(request):
        return toast(request, problem, status=500)
    return HttpResponse(render_to_string("errors/server_error.html", {}), status=500)
