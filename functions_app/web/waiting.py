"""Views whose POST waits for AWS: they are marked, so that no thread that renders pages is given to one.

`dashboard/plan_threads.py` reads the mark. A test posts to every address and finds the view that should have it.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from functions_app.domain.errors import Code, Problem
from functions_app.web.http import HtmxHttpRequest, problem_response

P = ParamSpec("P")

NO_PLACE = "drydock.no_place"  # in the ASGI scope of a request that found every thread taken and the line full
AGAIN_IN = 15  # seconds: most plans take two or three, so that a whole line has had its turn by then
_MARK = "waits_for_aws"


def waits_for_aws(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Mark a view whose POST asks AWS. Where it has no place it is not called: 503 says when to come again."""

    def placed(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if found_no_place(request):
            return _no_place(request)
        return view(request, *args, **kwargs)

    update_wrapper(placed, view)
    setattr(placed, _MARK, True)
    return placed


def found_no_place(request: HttpRequest) -> bool:
    """Whether every thread for such requests was taken and the line full."""
    return bool(request.META.get("asgi.scope", {}).get(NO_PLACE))


def is_marked(path: str) -> bool:
    """Whether the view at this path waits for AWS when it is posted to."""
    try:
        return bool(getattr(resolve(path).func, _MARK, False))
    except Resolver404:
        return False


def _no_place(request: HttpRequest) -> HttpResponse:
    problem = Problem(
        Code.OVERLOADED,
        "Too many people wait for answers of AWS at this moment, so AWS was not asked. Nothing was changed.",
        f"Try again in about {AGAIN_IN} s: go back, and what you typed is still there.",
        retryable=True,
    )
    response = problem_response(request, problem)
    response["Retry-After"] = str(AGAIN_IN)
    return response
