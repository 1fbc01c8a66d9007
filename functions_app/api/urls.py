"""`/api/v1`: every endpoint, behind the one door."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, re_path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import PathView
from ninja.parser import Parser
from ninja.security import HttpBearer

from functions_app.api import (
    accounts,
    activity,
    audit,
    bases,
    changes,
    chat,
    comparisons,
    configurations,
    events,
    forecasts,
    function_parts,
    functions,
    image_comparisons,
    image_files,
    image_users,
    images,
    last_day,
    matching,
    overview,
    patch_lists,
    people,
    plans,
    policies,
    push_rules,
    rebuilds,
    retries,
    risks,
    runs,
    search,
    selections,
    smoke_tests,
    streams,
    tokens,
    triggers,
    views,
)
from functions_app.api.answers import finished, of_problem, problem
from functions_app.api.door import door
from functions_app.api.openapi import Schema, schema_of
from functions_app.api.reference import Reference, reference_of
from functions_app.domain.errors import DrydockError
from functions_app.domain.text import line
from functions_app.services.inventory.fleet.addressing import Ambiguous
from functions_app.services.people.actor import Actor
from functions_app.streams.machines import request_id_of
from functions_app.streams.plan_places import Asks

PREFIX = "api/v1/"
# What plans, or waits for an answer from outside.
ASKS_AWS = {
    "start_deployment",
    "start_rollback",
    "start_patch",
    "start_undo",
    "make_push_rule",
    "ask_rebuild",
    "read_scan",
    "compare_configurations",
    "read_triggers",
    "examine",
}
STREAMS = {"get_run_events"}
BY_BODY = {"say": chat.asks_aws}  # what does so by what is sent
# What stands behind a run's number before the signals, which take any word there.
ROOMS = (
    *(functions, function_parts, activity, configurations, triggers, risks, smoke_tests, images, image_files),
    *(image_users, image_comparisons, forecasts, bases, comparisons, streams, policies),
    *(selections, views),
    *(changes, patch_lists, plans, push_rules, rebuilds, events, retries, runs),
    *(tokens, accounts, people, audit, overview, last_day, search, chat),
)


class Bearer(HttpBearer):
    """How the schema tells of tokens; the door has looked at it."""

    def __call__(self, request: HttpRequest) -> Actor:
        """Whoever the door let in."""
        return request.actor  # type: ignore[attr-defined, no-any-return]

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """Not asked: see above."""
        raise NotImplementedError


class DocumentParser(Parser):
    """The body as the door has read it."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """A JSON object."""
        return request.document  # type: ignore[attr-defined, no-any-return]


class Api(NinjaAPI):
    """ninja's, whose answers have one line of text of at most 140 characters."""

    def create_response(self, request: HttpRequest, data: Any, **more: Any) -> HttpResponse:
        """The answer as JSON."""
        return super().create_response(request, {**data, "text": line(data["text"])}, **more)

    def get_openapi_operation_id(self, operation: Any) -> str:
        """The name of the function: a client's methods are called so."""
        return _name(operation)


API = Api(
    title="Drydock",
    version=settings.DRYDOCK_VERSION,
    description="Functions that are packaged as container images: what runs, what is stale, and changes to it.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    auth=Bearer(),
    parser=DocumentParser(),
)
for room in ROOMS:
    API.add_router("", room.router)


@API.exception_handler(DrydockError)
def expected(request: HttpRequest, error: DrydockError) -> HttpResponse:
    """What is expected to go wrong."""
    choices = {"choices": list(error.choices)} if isinstance(error, Ambiguous) else {}
    return of_problem(error.problem, error.again_in, **choices)


@API.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A member or a parameter that is missing, of another type, too long."""
    told = [f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}" for one in error.errors]
    return problem(422, "; ".join(told)[:1000], "docs/api.md names what each endpoint takes.")


@API.exception_handler(Http404)
def nothing(request: HttpRequest, error: Http404) -> HttpResponse:
    """No such thing."""
    return problem(404, "There is no such thing.", code="not_found")


@API.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja itself refuses."""
    return problem(error.status_code, error.message)


def _patterns() -> list[URLPattern]:
    """ninja's addresses, each behind the door with the parameters that its methods know."""
    found = []
    for bound in API._get_bound_routers():
        for address, view in bound.path_operations.items():
            queries = {method: _names(operation) for operation in view.operations for method in operation.methods}
            name = _name(view.operations[0])
            matched = frozenset(
                each for one in view.operations if _name(one) in matching.ENDPOINTS for each in one.methods
            )
            streams = name in STREAMS
            guarded = door(_plain(view), queries, asks_aws=_asks_aws(view), streams=streams, matched=matched)
            found.append(path(_django(address), guarded, name=name))
    return found


def _asks_aws(view: PathView) -> Asks:
    """Whether what is posted to an address asks AWS, whatever else the address takes."""
    posted = [_name(one) for one in view.operations if "POST" in one.methods]
    return next((BY_BODY[name] for name in posted if name in BY_BODY), not ASKS_AWS.isdisjoint(posted))


def _name(operation: Any) -> str:
    return str(operation.view_func.__name__)


def _plain(view: PathView) -> Any:
    return view.get_view()


def _names(operation: Any) -> dict[str, bool]:
    """The names that a query may have, and whether each may come several times."""
    models = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    return {name: name in model.__ninja_collection_fields__ for model in models for name in model.__ninja_flatten_map__}


def _django(address: str) -> str:
    return address.lstrip("/").replace("{", "<").replace("}", ">")


@cache
def told() -> Schema:
    """The schema of it all (OpenAPI 3.1)."""
    return schema_of(API, PREFIX)


@cache
def _schema() -> bytes:
    return json.dumps(told(), ensure_ascii=False).encode()


@cache
def _reference() -> Reference:
    return reference_of(told())


def schema(request: HttpRequest) -> HttpResponse:
    """The schema, for everybody who may reach this server."""
    if request.method in ("GET", "HEAD"):
        return finished(request, HttpResponse(_schema(), content_type="application/json"), request_id_of(request))
    return finished(request, _only_get(), request_id_of(request))


def docs(request: HttpRequest) -> HttpResponse:
    """The same as a page, for whoever is signed in."""
    if request.method not in ("GET", "HEAD"):
        return finished(request, _only_get(), request_id_of(request))
    root = request.build_absolute_uri("/").rstrip("/")
    return render(request, "api/docs.html", {"reference": _reference(), "root": root})


def _only_get() -> HttpResponse:
    refused = problem(405, "This address takes GET.", code="not_allowed")
    refused["Allow"] = "GET"
    return refused


def unknown(request: HttpRequest) -> HttpResponse:
    """Every other address below."""
    told = problem(404, f"There is nothing at {request.path[:200]}.", code="not_found")
    return finished(request, told, request_id_of(request))


def _open(view: Any) -> Any:
    view.login_required = False
    view.csrf_exempt = True
    return view


app_name = "api"
urlpatterns: list[URLPattern] = [
    path("openapi.json", _open(schema), name="schema"),
    path("docs", docs, name="docs"),
    *_patterns(),
    re_path(r"^", _open(unknown), name="unknown"),
]
