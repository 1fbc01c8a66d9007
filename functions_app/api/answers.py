"""What every endpoint's answer has: a line of text, problems as RFC 9457 has them, a request id, an ETag."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse

from functions_app.domain.errors import Problem
from functions_app.domain.text import line

PROBLEM = "application/problem+json"
TITLES = {
    400: "Not accepted",
    401: "Who is there?",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    410: "No longer there",
    413: "Too large",
    415: "Not JSON",
    422: "Not accepted",
    429: "Too many requests",
}


def problem(status: int, detail: str, next_step: str = "", **more: Any) -> HttpResponse:
    """A problem that the API itself has with a request."""
    told = {"code": more.pop("code", "invalid"), "aws_code": "", "request_id": "", "retryable": False} | more
    return _answer(status, TITLES.get(status, "Not accepted"), detail, next_step, told)


def of_problem(told: Problem, **more: Any) -> HttpResponse:
    """A problem of Drydock's, as every door tells it."""
    facts = {
        "code": told.code.value,
        "aws_code": told.aws_code,
        "request_id": told.request_id,
        "retryable": told.retryable,
    }
    return _answer(told.code.http_status, told.code.heading, told.message, told.next_step, facts | more)


def _answer(status: int, title: str, detail: str, next_step: str, facts: Mapping[str, Any]) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "next_step": next_step,
        "text": line(f"{title}: {detail}"),
        **facts,
    }
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=PROBLEM)


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
        etag = f'"{sha256(response.content).hexdigest()[:32]}"'
        if etag in request.headers.get("If-None-Match", ""):
            response = HttpResponse(status=304, headers=dict(response.headers))
            del response["Content-Type"]
        response["ETag"] = etag
    return response


def _wants_text(request: HttpRequest) -> bool:
    accepted = request.headers.get("Accept", "")
    return accepted.partition(",")[0].partition(";")[0].strip() == "text/plain"
