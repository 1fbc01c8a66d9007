"""Pages whose POST waits for AWS are marked, so that no thread that renders pages is given to one.

A test posts to every address and finds the view that should have the mark.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from functions_app.domain.errors import Code, Problem
from functions_app.streams.plan_places import AGAIN_IN, found_no_place, mark
from functions_app.web.http import HtmxHttpRequest, problem_response

P = ParamSpec("P")


def waits_for_aws(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponseBase]:
    """Mark a view whose POST asks AWS. Where it has no place it is not called: 503 says when to come again."""

    def placed(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if found_no_place(request):
            return _no_place(request)
        return view(request, *args, **kwargs)

    update_wrapper(placed, view)
    mark(placed)
    return placed


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
