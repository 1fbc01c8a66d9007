"""`/functions/NAME/smoke-test`: how a new version is tried before any traffic reaches it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router

from functions_app.api import matching
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Body, Told, given, link
from functions_app.domain.changes.patching.smokes import LONGEST_S, PATH_LENGTH, PAYLOAD_BYTES, VALUE_LENGTH, Smoke
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Function
from functions_app.services.changes import smoke as smokes
from functions_app.services.inventory.fleet import addressing

router = Router(tags=["changes"])
USUAL = Smoke()


class SmokeBody(Body):
    """What is called with, and what the answer must be: no function error in any case."""

    payload: str = Field(USUAL.payload, max_length=PAYLOAD_BYTES, description="JSON, as text")
    status: int = Field(USUAL.status, ge=0, le=599, description="the answer's statusCode; 0 for any")
    path: str = Field(USUAL.path, max_length=PATH_LENGTH, description="a JSONPath that must find something")
    value: str = Field(USUAL.value, max_length=VALUE_LENGTH, description="JSON: what it must find")
    limit_s: int = Field(USUAL.limit_s, ge=1, le=LONGEST_S, description="seconds that the answer may take")
    tenant: str = Field(USUAL.tenant, max_length=256)


class SmokeAnswer(Told):
    """The smoke test of a function; its ETag is what a change names in If-Match."""

    payload: str
    status: int
    path: str
    value: str
    limit_s: int
    tenant: str


@router.get("/functions/{function}/smoke-test", response=SmokeAnswer)
def get_smoke_test(request: ApiRequest, response: HttpResponse, function: str) -> dict[str, Any]:
    """How a new version of this function is tried; 404 where it is not."""
    row = addressing.find(function, request.actor).function
    smoke = smokes.smoke_of(row)
    if smoke is None:
        raise DrydockError(Code.NOT_FOUND, f"{row.name} has no smoke test.", next_step="Keep one with PUT.")
    return _told(request, response, row, smoke)


@router.put("/functions/{function}/smoke-test", response=SmokeAnswer)
def keep_smoke_test(request: ApiRequest, response: HttpResponse, function: str, body: SmokeBody) -> dict[str, Any]:
    """Keep this smoke test in the place of what there was."""
    row = addressing.find(function, request.actor).function
    smoke = Smoke(**{**USUAL.as_json(), **given(body)})
    smokes.keep(row, smoke, request.actor, lambda kept: matching.require(request, _facts(kept)))
    return _told(request, response, row, smoke)


@router.delete("/functions/{function}/smoke-test", response=Told)
def remove_smoke_test(request: ApiRequest, function: str) -> dict[str, Any]:
    """Take the smoke test away."""
    row = addressing.find(function, request.actor).function
    smokes.keep(row, None, request.actor, lambda kept: matching.require(request, _facts(kept)))
    return {"text": f"{row.name} has no smoke test any more.", "url": _page(request, row)}


def _facts(smoke: Smoke | None) -> Mapping[str, Any]:
    return smoke.as_json() if smoke else {}


def _page(request: ApiRequest, row: Function) -> str:
    return link(request, reverse("function-patch", args=[row.pk]))


def _told(request: ApiRequest, response: HttpResponse, row: Function, smoke: Smoke) -> dict[str, Any]:
    matching.tell(response, _facts(smoke))
    return {"text": f"{row.name}: {smoke.expects}.", "url": _page(request, row), **smoke.as_json()}
