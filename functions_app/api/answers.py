"""What every endpoint's answer has: a line of text, problems as RFC 9457 has them, a request id, an ETag."""

import json
import math
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse

from functions_app.api.shapes import OWN
from functions_app.domain.errors import Code, Problem, details
from functions_app.streams import plan_places
from functions_app.streams.machines import CONTENT_TYPE, answered

_TITLES = {
    401: "Who is there?",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    410: "No longer there",
    408: "Not in time",
    413: "Too large",
    415: "Not JSON",
    429: "Too many requests",
    431: "Too large",
    500: "It failed",
    503: "Too many at once",
}
# Seconds after which to come again, where nobody knows better: plans take a few, a lock is held for longer.
LATER = {Code.BUSY: 5, Code.THROTTLED: 15, Code.OVERLOADED: plan_places.AGAIN_IN, Code.UNAVAILABLE: 5}


def problem_title(status: int) -> str:
    """The few words above a problem with this status."""
    headings = [code.heading for code in Code if code.http_status == status]
    return _TITLES.get(status) or "; ".join(headings) or "Not accepted"


def problem(status: int, detail: str, next_step: str = "", **more: Any) -> HttpResponse:
    """A problem that the API itself has with a request."""
    return answered(details(status, _TITLES.get(status, "Not accepted"), detail, next_step, **more))


def of_problem(told: Problem, again_in: float = 0.0, **more: Any) -> HttpResponse:
    """A problem of Drydock's, as every door tells it; with the seconds after which to come again where it passes."""
    response = answered(told.details | more)
    if told.code in LATER:
        response["Retry-After"] = str(math.ceil(again_in) or LATER[told.code])
    return response


def passes(response: HttpResponse) -> bool:
    """Whether the same may be answered otherwise soon: an error of a server, or a refusal for the time being."""
    if response.status_code >= 500 or "Retry-After" in response:
        return True
    refused = response.status_code >= 400 and response.get("Content-Type") == CONTENT_TYPE
    return refused and json.loads(response.content)["retryable"] is True


def finished(request: HttpRequest, response: HttpResponse, request_id: str) -> HttpResponse:
    """The answer as it goes out: one line where that is asked for, unchanged where the asker has it already."""
    response["X-Request-Id"], response["Cache-Control"] = request_id, "private, no-cache"
    response["Vary"] = "Accept, Authorization"
    if response.streaming:
        return response
    if _wants_text(request) and "json" in response.get("Content-Type", ""):
        text = json.loads(response.content).get("text", "")
        response.content = f"{text}\n".encode()
        response["Content-Type"] = "text/plain; charset=utf-8"
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        state = response["ETag"].strip('"') + "." if "ETag" in response else ""  # of what can be edited
        etag = f'"{state}{sha256(_what_matters(request, response)).hexdigest()[:32]}"'
        if etag in request.headers.get("If-None-Match", ""):
            response = HttpResponse(status=304, headers=dict(response.headers))
            del response["Content-Type"]
        response["ETag"] = f"W/{etag}" if hasattr(request, OWN) else etag
    return response


def _what_matters(request: HttpRequest, response: HttpResponse) -> bytes:
    """What an answer is known again by: of a list that is as of now, all but that."""
    if not hasattr(request, OWN) or "json" not in response.get("Content-Type", ""):
        return response.content
    return json.dumps({**json.loads(response.content), "as_of": None}).encode()


def _wants_text(request: HttpRequest) -> bool:
    accepted = request.headers.get("Accept", "")
    return accepted.partition(",")[0].partition(";")[0].strip() == "text/plain"
