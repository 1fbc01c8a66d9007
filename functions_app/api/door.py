"""The one door of the API: who is there, how often, whether the request is understood whole; then the endpoint."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse

from functions_app import rates
from functions_app.api import idempotency, matching
from functions_app.api.answers import finished, of_problem, problem
from functions_app.api.requests import ApiRequest
from functions_app.domain import limits
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.json_fields import read_strict
from functions_app.services.people import access, living_tokens
from functions_app.streams.machines import request_id_of
from functions_app.streams.plan_places import AGAIN_IN, Asks, found_no_place, mark
from functions_app.streams.waiting_answers import DONE, NAMES, SETTLED

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
TURNS = "drydock:token:"


Queries = Mapping[str, Mapping[str, bool]]  # of each method the names that a query may have: whether several times


def door(
    view: View,
    queries: Queries,
    *,
    asks_aws: Asks,
    streams: bool = False,
    matched: frozenset[str] = frozenset(),
) -> View:
    """An endpoint behind the door, with the methods and the queries that it takes.

    One that `streams` has no head to ask for: it is opened, or not. `matched` are the methods that look at If-Match; of
    others it would be taken for looked at.
    """

    def behind_door(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request_id = request_id_of(request)
        asked = request.method
        if request.method == "HEAD" and not streams:
            request.method = "GET"  # its body is left out on the way
        response = _refusal(request, queries, matched) or idempotency.once(
            request, lambda: view(request, *args, **kwargs)
        )
        who = request.actor if hasattr(request, "actor") else None
        log.info(
            "%s %s %s by %s (%s), request %s",
            *(asked, request.path, response.status_code, who and who.name, who and who.via, request_id),
        )
        return finished(request, response, request_id)

    behind_door.csrf_exempt = True  # type: ignore[attr-defined]  # a token is no cookie: no browser sends it by itself
    behind_door.login_required = False  # type: ignore[attr-defined]
    if asks_aws:
        mark(behind_door, asks_aws)
    return behind_door


def _refusal(request: ApiRequest, queries: Queries, matched: frozenset[str]) -> HttpResponse | None:
    """Why the endpoint is not asked; what it needs is on the request otherwise."""
    method = request.method or ""
    if method not in queries:
        refused = problem(405, f"This address takes {' and '.join(sorted(queries))}.", code="not_allowed")
        refused["Allow"] = ", ".join(sorted(queries))
        return refused
    stopped = _unknown_caller(request) or too_often(request.token.pk)
    if stopped is not None:
        return stopped
    misunderstood = _not_understood(request, queries[method])
    if misunderstood is not None:
        return misunderstood
    if matching.HEADER in request.headers and method != "GET" and method not in matched:
        return problem(400, f"{matching.HEADER} is not looked at here.", "Leave it out: nothing here is edited.")
    if found_no_place(request):
        return _no_place()
    return _read_body(request) if method in ("POST", "PATCH", "PUT") else None


def _not_understood(request: ApiRequest, names: Mapping[str, bool]) -> HttpResponse | None:
    """What is wrong with the query: a name that nobody knows, or one of which only one value would be heard."""
    unknown = sorted(set(request.GET) - set(names))
    if unknown and set(unknown) <= set(NAMES):
        told = f"wait is 1 to {limits.LONGEST_ANSWER} seconds, for a run or for what starts one; "
        told += f"wait_for is {DONE} or {SETTLED}."
        return problem(422, told, "Ask again for what has not ended by then.")
    if unknown:
        known = ", ".join(sorted(names)) or "none"
        return problem(422, f"There is no parameter {unknown[0][:60]!r} here.", f"Parameters: {known}.")
    for name, values in request.GET.lists():
        if len(values) > 1 and not names[name]:
            return problem(422, f"{name} is there {len(values)} times, and takes one value.", "Send it once.")
    return None


def _unknown_caller(request: ApiRequest) -> HttpResponse | None:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    address = request.META.get("REMOTE_ADDR", "")
    known = living_tokens.recognise(text.strip(), address) if scheme.lower() == "bearer" else None
    if known is None:
        refused = problem(
            401, "Send a token that is not over as “Authorization: Bearer ddk_…”.", code="unauthenticated"
        )
        refused["WWW-Authenticate"] = 'Bearer realm="drydock"'
        return refused
    request.actor, request.token = known
    if not (access.may_look if request.method == "GET" else access.belongs_here)(request.actor):
        return problem(403, "This token, or the person it acts for, may not look at anything.", code="denied")
    return None


def too_often(token: int) -> HttpResponse | None:
    """What is answered where this token was shown too often; None where it may ask."""
    line = (f"{TURNS}{token}", 1 / limits.TOKEN_RATE)
    taken, wait = rates.reserve([line], limits.TOKEN_BURST / limits.TOKEN_RATE, 0.0)
    if taken:
        return None
    told = f"A token may ask {limits.TOKEN_RATE} times a second."
    refused = problem(429, told, "Ask again later.", code="throttled", retryable=True)
    refused["Retry-After"] = str(max(1, math.ceil(wait)))
    return refused


def _no_place() -> HttpResponse:
    return of_problem(
        Problem(
            Code.OVERLOADED,
            "Too many wait for answers of AWS at this moment, so AWS was not asked. Nothing was changed.",
            f"Ask again in about {AGAIN_IN} s.",
            retryable=True,
        )
    )


def _read_body(request: ApiRequest) -> HttpResponse | None:
    data = request.body
    if data and request.content_type != "application/json":
        return problem(415, "Send the body as application/json.")
    try:
        request.document = read_strict(data, "body") if data else {}
    except DrydockError as error:
        return of_problem(error.problem)
    return None
