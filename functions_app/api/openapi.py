"""The schema of the API (OpenAPI 3.1): what ninja knows of each endpoint, and what the door before them all adds."""

from collections.abc import Iterator
from typing import Any

from ninja import NinjaAPI

from functions_app.api import examples, matching
from functions_app.api.answers import problem_title
from functions_app.api.shapes import ProblemAnswer
from functions_app.domain import limits
from functions_app.domain.errors import Code
from functions_app.services.people import kept_answers
from functions_app.streams.table_download import FORMAT
from functions_app.streams.waiting_answers import DONE, SETTLED

Schema = dict[str, Any]
REF = "#/components/"
CSV: Schema = {"text/csv": {"schema": {"type": "string"}}}
TEXT: Schema = {"text/plain": {"schema": {"type": "string"}}}
# What the door, Django and what stands before it refuse with; what endpoints raise comes from the table of errors.
DOORS = frozenset({400, 401, 403, 404, 405, 413, 422, 429, 431, 500, 503})
OF_BODIES = frozenset({408, 415})
OF_CHANGES = frozenset({408, 412, 415, 423})  # of no GET
RAISED = frozenset(code.http_status for code in Code)
GONE = frozenset({"list_events"})  # reads that may ask after what is not kept any more
WAITING = ("get_run", "list_events")  # what is read and may be waited for
LATER = frozenset({409, 429, 503})  # may say when to come again


def schema_of(api: NinjaAPI, prefix: str) -> Schema:
    """The whole schema, as it is served."""
    told: Schema = api.get_openapi_schema(path_prefix=f"/{prefix}")
    components = told["components"]
    components["schemas"]["ProblemAnswer"] = ProblemAnswer.model_json_schema(ref_template=f"{REF}schemas/{{model}}")
    components["headers"] = _headers()
    statuses = DOORS | OF_BODIES | RAISED
    components["responses"] = {_name(status): _problem(status) for status in sorted(statuses)} | {
        "Unchanged": {"description": "Nothing has changed since that ETag.", "headers": _named("ETag", "X-Request-Id")}
    }
    for method, operation in _operations(told):
        _complete(method, operation, statuses)
    _keep_used(told)
    for _, operation in _operations(told):
        examples.add(operation, components["schemas"])
    return told


def _operations(told: Schema) -> Iterator[tuple[str, Schema]]:
    return ((method, operation) for methods in told["paths"].values() for method, operation in methods.items())


def _complete(method: str, operation: Schema, statuses: frozenset[int]) -> None:
    """What is understood before an endpoint is asked, and what may be answered instead of it."""
    responses = {str(status): answer for status, answer in operation["responses"].items()}
    if "202" in responses:
        _may_be_waited_for(responses)
    parameters, name = operation.setdefault("parameters", []), operation["operationId"]
    tabular, matched = any(each["name"] == FORMAT for each in parameters), name in matching.ENDPOINTS
    parameters.extend(_beside(method, name, waits="202" in responses))
    for status, answer in responses.items():
        whole = "application/json" in answer.setdefault(
            "content", {}
        )  # and no stream, which is not over when it is answered
        names = ["X-Request-Id", *(["ETag"] if whole and (method == "get" or matched) else [])]
        answer["headers"] = _named(*names, *(["Location"] if status == "202" else [])) | answer.get("headers", {})
        answer["content"] |= TEXT if whole else {}
        answer["content"] |= CSV if tabular and status == "200" else {}
    never = OF_CHANGES - ({410} if operation["operationId"] in GONE else set()) if method == "get" else frozenset()
    for refused in sorted(statuses - never):
        responses.setdefault(str(refused), {"$ref": f"{REF}responses/{_name(refused)}"})
    if method == "get":
        responses["304"] = {"$ref": f"{REF}responses/Unchanged"}
    operation["responses"] = dict(sorted(responses.items()))


def _may_be_waited_for(responses: dict[str, Schema]) -> None:
    """With `wait` the run is answered as it stands, in place of that it was started."""
    run = {"$ref": f"{REF}schemas/RunAnswer"}
    at_once = responses.get("200", {}).get("content", {}).get("application/json", {}).get("schema")
    content = {"application/json": {"schema": {"anyOf": [at_once, run]} if at_once else run}}
    about = "The plan, or what had ended by then; with wait the run as it stands." if at_once else "With wait: the run."
    responses["200"] = {"description": about, "content": content}


def _beside(method: str, name: str, *, waits: bool) -> list[Schema]:
    """Parameters that the door takes, and what holds answers."""
    found = [_header("X-Request-Id", "what the request is called in the answer and in the server's log")]
    if method == "get":
        found.append(_header("If-None-Match", "an ETag: 304 where the answer is still the same"))
    if name in matching.ENDPOINTS:
        found.append(
            _header(matching.HEADER, "an ETag: 412 where somebody has changed it since, and nothing is changed")
        )
    if method == "post":
        about = "the same key and body get the same answer for 24 hours, and change something once"
        found.append(_header("Idempotency-Key", about, pattern="^[ -~]*$", maxLength=kept_answers.LENGTH))
    seconds = {"type": "integer", "minimum": 1, "maximum": limits.LONGEST_ANSWER}
    until = {"type": "string", "enum": [DONE, SETTLED]}
    if waits or name in WAITING:
        found.append(_query("wait", "hold the answer, so many seconds at most", seconds))
    if waits or name == "get_run":
        found.append(_query("wait_for", f"until the run has ended, or ({SETTLED}) waits for a person", until))
    return found


def _query(name: str, about: str, schema: Schema) -> Schema:
    return {"in": "query", "name": name, "required": False, "description": about, "schema": schema}


def _header(name: str, about: str, **more: Any) -> Schema:
    schema = {"type": "string", **more}
    return {"in": "header", "name": name, "required": False, "description": about, "schema": schema}


def _headers() -> Schema:
    told = {
        "X-Request-Id": "what the request is called in the server's log",
        "ETag": "send it as If-None-Match to learn whether something has changed, as If-Match to change that alone",
        "Location": "where the run is",
        "Retry-After": "the seconds after which to come again",
        "WWW-Authenticate": "how to show a token",
        "Allow": "the methods that this address takes",
    }
    return {name: {"description": about, "schema": {"type": "string"}} for name, about in told.items()}


def _named(*names: str) -> Schema:
    return {name: {"$ref": f"{REF}headers/{name}"} for name in names}


def _problem(status: int) -> Schema:
    more = {401: ["WWW-Authenticate"], 405: ["Allow"]}.get(status, ["Retry-After"] if status in LATER else [])
    shape = {"schema": {"$ref": f"{REF}schemas/ProblemAnswer"}, "example": examples.problem(status)}
    return {
        "description": problem_title(status),
        "headers": _named("X-Request-Id", *more),
        "content": {"application/problem+json": shape, **TEXT},
    }


def _name(status: int) -> str:
    return f"Problem{status}"


def _keep_used(told: Schema) -> None:
    """Leave out schemas that nothing refers to: ninja lists those of queries, too, which are told as parameters."""
    schemas = told["components"]["schemas"]
    used: set[str] = set()
    found = set(_references([told["paths"], told["components"]["responses"]]))
    while found - used:
        used |= found
        found = {name for each in found for name in _references(schemas.get(each, {}))}
    told["components"]["schemas"] = {name: schema for name, schema in sorted(schemas.items()) if name in used}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref", "")
        if isinstance(reference, str) and reference.startswith(f"{REF}schemas/"):
            yield reference.rpartition("/")[2]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
