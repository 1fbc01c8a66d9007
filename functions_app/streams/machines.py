"""How machines are answered where no endpoint is asked: problem+json (RFC 9457) at every address below /api/."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

PREFIX = "/api/"
CONTENT_TYPE = "application/problem+json"
REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def are_asked_for(path: str) -> bool:
    """Whether who asks at this address is a machine."""
    return path.startswith(PREFIX)


def request_id_of(request: HttpRequest) -> str:
    """What its sender calls it, or a name of our own: answers and the log have it."""
    sent = request.headers.get(REQUEST_ID, "")
    return sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex


def answered(details: Mapping[str, Any]) -> HttpResponse:
    """A problem, as domain.errors.details has it."""
    body = json.dumps(details, ensure_ascii=False)
    return HttpResponse(body, status=details["status"], content_type=CONTENT_TYPE)


def refused(request: HttpRequest, details: Mapping[str, Any]) -> HttpResponse:
    """The same where no endpoint was asked, whose door would add what every answer has."""
    response = answered(details)
    response[REQUEST_ID], response["Cache-Control"] = request_id_of(request), "no-store"
    return response
