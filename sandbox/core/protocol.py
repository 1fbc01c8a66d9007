"""AWS's two JSON protocols, for services that the sandbox answers without moto: rest-json (Lambda) and json 1.1 (Logs).

Which path, query, header and body fields an operation has is read from botocore's own service models.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape
from werkzeug.wrappers import Request

from sandbox.iam.principals import DEFAULT_ACCOUNT, signature

Triple = tuple[int, dict[str, str], bytes | Iterable[bytes]]


@dataclass(frozen=True)
class Call:
    """One call of an operation: who and where, and its parameters by their names in the API reference."""

    account: str
    region: str
    parameters: Mapping[str, Any]
    body: bytes = b""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default where it is missing or null."""
        value = self.parameters.get(name)
        return default if value is None else value


@dataclass(frozen=True)
class Reply:
    """An answer that is more than a JSON document with the operation's usual status."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ServiceError(Exception):
    """An error as AWS answers it: code, HTTP status, message, and further fields of the body."""

    def __init__(self, code: str, status: int, message: str, **more: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.status, self.message, self.more = code, status, message, more


Operation = Callable[[Call], Mapping[str, Any] | Reply | None]


class Service:
    """Operations by name; `dispatch` has the shape of moto's response classes, so that the server takes either."""

    content_type = "application/json"

    def __init__(self, name: str) -> None:
        self.name = name
        self.operations: dict[str, Operation] = {}

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's model of the service."""
        return botocore.session.get_session().get_service_model(self.name)

    def operation(self, name: str) -> Callable[[Operation], Operation]:
        """Answer this operation with the decorated function."""

        def register(function: Operation) -> Operation:
            self.operations[name] = function
            return function

        return register

    def dispatch(self, request: Request, _url: str, _headers: Mapping[str, str]) -> Triple:
        """Find the operation, read its parameters, run it and write the answer or the error."""
        request_id = str(uuid.uuid4())
        identity = {"x-amzn-RequestId": request_id, "Content-Type": self.content_type}
        try:
            name, parameters, body = self.read(request)
            function = self.operations.get(name)
            if function is None:
                raise ServiceError("NotImplementedException", 501, f"The sandbox does not do {self.name}:{name}.")
            signed = signature(request.headers.get("Authorization", ""))
            account = request.headers.get("x-moto-account-id", DEFAULT_ACCOUNT)
            region = signed.region if signed else "us-east-1"
            result = function(Call(account, region, parameters, body, request_id))
        except ServiceError as error:
            identity["x-amzn-ErrorType"] = error.code
            return error.status, identity, json.dumps(self.error_body(error)).encode()
        if isinstance(result, Reply):
            return result.status, {**identity, **result.headers}, result.body
        status = int(self.model.operation_model(name).http.get("responseCode", 200))
        return status, identity, b"" if status == 204 else json.dumps(result or {}).encode()

    def read(self, request: Request) -> tuple[str, dict[str, Any], bytes]:
        """The operation's name, its parameters and the raw body."""
        raise NotImplementedError

    def error_body(self, error: ServiceError) -> dict[str, str]:
        """The JSON document of an error."""
        return {"__type": error.code, "message": error.message, **error.more}


class JsonService(Service):
    """json 1.1: the operation in X-Amz-Target, all parameters in the body."""

    content_type = "application/x-amz-json-1.1"

    def read(self, request: Request) -> tuple[str, dict[str, Any], bytes]:
        """See Service."""
        body = request.get_data()
        return request.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1], _document(body), body


@dataclass(frozen=True)
class Route:
    """Where one REST operation lives and how its parameters are spelt."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: str
    input: StructureShape | None

    def parameters(self, match: re.Match[str], request: Request, body: bytes) -> dict[str, Any]:
        """Path, query, header and body fields by their names in the API reference."""
        if self.input is None:
            return {}
        found = {} if self.input.serialization.get("payload") else _document(body)
        query = parse_qs(request.query_string.decode(), keep_blank_values=True)
        for name, shape in self.input.members.items():
            place, spelt = shape.serialization.get("location"), shape.serialization.get("name", name)
            if place == "uri":
                found[name] = unquote(match[name])
            elif place == "querystring" and spelt in query:
                found[name] = query[spelt] if shape.type_name == "list" else _typed(shape, query[spelt][0])
            elif place == "header" and spelt in request.headers:
                found[name] = _typed(shape, request.headers[spelt])
        return found


class RestJsonService(Service):
    """rest-json: the operation in method and path."""

    @cached_property
    def routes(self) -> list[Route]:
        """All operations of the service, those that want a query field first."""
        routes = [_route(self.model.operation_model(name)) for name in self.model.operation_names]
        return sorted(routes, key=lambda route: (route.operation not in self.operations, not route.query))

    def read(self, request: Request) -> tuple[str, dict[str, Any], bytes]:
        """See Service. Raises UnknownOperationException for a path that is in no operation."""
        raw: str = request.environ["RAW_URI"].partition("?")[0].rstrip("/")
        query = request.query_string.decode()
        for route in self.routes:
            if route.method == request.method and route.query in query and (match := route.path.fullmatch(raw)):
                body = request.get_data()
                return route.operation, route.parameters(match, request, body), body
        raise ServiceError("UnknownOperationException", 404, f"No operation at {request.method} {raw}.")

    def error_body(self, error: ServiceError) -> dict[str, str]:
        """See Service: Lambda writes "Type" and a message with either capital."""
        side = "User" if error.status < 500 else "Service"
        return {"Type": side, "Message": error.message, "message": error.message, **error.more}


def _route(model: OperationModel) -> Route:
    path, _, query = str(model.http["requestUri"]).partition("?")
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
    shape = model.input_shape
    return Route(
        model.name,
        str(model.http["method"]),
        re.compile(pattern),
        query,
        shape if isinstance(shape, StructureShape) else None,
    )


def _document(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ServiceError("SerializationException", 400, f"Could not parse request body into json: {error}") from error
    if not isinstance(document, dict):
        raise ServiceError("SerializationException", 400, "The request body must be a JSON object.")
    return document


def _typed(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text.lower() == "true" if shape.type_name == "boolean" else text
