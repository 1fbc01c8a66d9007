"""One door for all AWS calls: find service and operation, count, deny, throttle, then let moto's classes answer.

moto answers calls that it does not know with a page of HTML; AWS with an error in the service's own protocol.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model, service_name_from_moto_package_name
from werkzeug.exceptions import NotFound
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from sandbox.core.faults import under_faults
from sandbox.core.limits import CALLS, DENIALS, QUOTAS
from sandbox.core.protocol import Service
from sandbox.iam import roles
from sandbox.iam.principals import Principal, Signature, principal, signature

Answering = type[BaseResponse] | Service
"""What answers a service: a moto response class, or a service of our own."""

RESPONSES: dict[str, Answering] = {}
"""What answers a service, by signing name ("ecr", "lambda", "logs", "sts"); install() functions fill it."""


def route(signing_name: str, response: Answering) -> None:
    """Let a moto response class or a service of our own answer a service."""
    RESPONSES[signing_name] = response
    if not isinstance(response, Service):
        # moto looks these up at the first error, in each of the threads that answer one at that moment: a third of a
        # second for thirty of them, which AWS does not take.
        _ = get_service_model(signing_name).error_shapes
        service_name_from_moto_package_name(signing_name)


class Dispatcher:
    """The WSGI application for signed AWS requests."""

    def __init__(self) -> None:
        self._others: Callable[..., Iterable[bytes]] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        signed = signature(environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None:
            answer = _json_error(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
            return answer(environ, start_response)
        caller = principal(signed.access_key)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account
        handler = RESPONSES.get(signed.service)
        operation = operation_of(signed.service, environ)
        CALLS.add(caller.account, signed.service, operation)

        def carry_out() -> Response:
            refusal = _refusal(environ, signed, caller, operation)
            return refusal or (_call(handler, environ) if handler else self._other_services(environ))

        refuse = _xml_error if _is_form(environ) else _json_error
        return under_faults(caller.account, signed.service, operation, carry_out, refuse)(environ, start_response)

    def _other_services(self, environ: dict[str, Any]) -> Response:
        if self._others is None:
            # Imported only when wanted: Flask and moto's index of all services are of no use to most runs.
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

            self._others = DomainDispatcherApplication(create_backend_app)
        return Response.from_app(self._others, environ)


def operation_of(service: str, environ: dict[str, Any]) -> str:
    """The operation's name, from the target header, the form's Action or the path; "Unknown" when there is none."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rsplit(".", 1)[-1]
    if _is_form(environ):
        return _form(environ).get("Action", ["Unknown"])[0]
    return _operation_by_path(service, environ["REQUEST_METHOD"], environ["RAW_URI"])


@lru_cache(maxsize=50_000)
def _operation_by_path(service: str, method: str, uri: str) -> str:
    path, _, query = uri.partition("?")
    request = Request(EnvironBuilder(method=method, path=path, query_string=query).get_environ())
    try:
        return str(get_service_router(service).match(request)[0].name)
    except (NotFound, UnknownServiceError):
        return "Unknown"


def _is_form(environ: dict[str, Any]) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")


def _form(environ: dict[str, Any]) -> dict[str, list[str]]:
    form = parse_qs(environ["wsgi.input"].read().decode())
    environ["wsgi.input"].seek(0)
    return form


def _call(handler: Answering, environ: dict[str, Any]) -> Response:
    request = Request(environ)
    request.from_wsgi_server = True
    try:
        result: Any = handler.dispatch(request, request.raw_url, dict(request.headers))
    except NotImplementedError as error:
        return _json_error(501, "NotImplementedException", f"The sandbox does not do this: {error}")
    except Exception as error:  # noqa: BLE001  the boundary: shown on stderr and answered as AWS would
        traceback.print_exc(file=sys.stderr)
        return _json_error(500, "InternalFailure", f"{type(error).__name__}: {error}")
    status, headers, body = result if len(result) == 3 else (200, {}, result)
    answer = Response(body, status=int(status))
    for name, value in headers.items():
        if name.lower() != "status":
            answer.headers[name] = str(value)
    return answer


def _refusal(environ: dict[str, Any], signed: Signature, caller: Principal, operation: str) -> Response | None:
    if _denied(environ, signed.service, caller, operation):
        return _access_denied(environ, signed, caller, operation)
    if text := roles.refusal(
        caller.arn, signed.region, signed.service, operation, lambda: _resource(environ, signed, caller, operation)
    ):
        return _refused_by_iam(signed.service, text)
    if text := _passing(environ, signed, caller, operation):
        return _refused_by_iam(signed.service, text)
    if not QUOTAS.admits(caller.account, signed.region, signed.service, operation):
        if signed.service != "lambda":
            return _json_error(400, "ThrottlingException", "Rate exceeded")
        return _json_error(
            429, "TooManyRequestsException", "Rate exceeded", Type="User", Reason="CallerRateLimitExceeded"
        )
    return None


def _passing(environ: dict[str, Any], signed: Signature, caller: Principal, operation: str) -> str | None:
    """What IAM says where a function is given a role that the caller may not pass to Lambda."""
    if signed.service != "lambda" or operation not in ("CreateFunction", "UpdateFunctionConfiguration"):
        return None
    role = _parameters(environ).get("Role")
    facts = {"iam:passedtoservice": "lambda.amazonaws.com"}
    return roles.refusal(caller.arn, signed.region, "iam", "PassRole", lambda: role, facts) if role else None


def _parameters(environ: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(environ["wsgi.input"].read() or b"{}")
    environ["wsgi.input"].seek(0)
    return parameters


def _permission(service: str, operation: str) -> str:
    return roles.permission(service, operation).partition(":")[2]


def _denied(environ: dict[str, Any], service: str, caller: Principal, operation: str) -> bool:
    if any(DENIALS.denies(caller.account, service, each) for each in (operation, _permission(service, operation))):
        return True
    if operation != "AssumeRole":
        return False
    # A role's own account can refuse to be assumed: that is how an account that cannot be reached looks.
    form = _form(environ)
    role = form.get("RoleArn", [""])[0]
    trusted = roles.may_be_assumed(role, caller.arn, form.get("ExternalId", [None])[0])
    match = roles.ROLE_ARN.fullmatch(role)
    return not trusted or (match is not None and DENIALS.denies(match["account"], service, operation))


def _access_denied(environ: dict[str, Any], signed: Signature, caller: Principal, operation: str) -> Response:
    action = f"{signed.service}:{_permission(signed.service, operation)}"
    resource = _resource(environ, signed, caller, operation)
    text = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}"
    if signed.service != "sts":
        text += f" because no identity-based policy allows the {action} action"
    return _refused_by_iam(signed.service, text)


def _refused_by_iam(service: str, text: str) -> Response:
    if service == "sts":
        return _xml_error(403, "AccessDenied", text)
    # The JSON protocols answer 400, Lambda's REST protocol 403.
    return _json_error(403 if service == "lambda" else 400, "AccessDeniedException", text)


def _resource(environ: dict[str, Any], signed: Signature, caller: Principal, operation: str) -> str:
    if signed.service == "sts":
        return _form(environ).get("RoleArn", ["*"])[0]
    place = f"arn:aws:{signed.service}:{signed.region}:{caller.account}"
    if signed.service == "lambda":
        match = _FUNCTION.match(environ["PATH_INFO"])
        return f"{place}:function:{match[1]}" if match else "*"
    if signed.service not in ("ecr", "logs", "codebuild") or operation == "GetAuthorizationToken":
        return "*"
    parameters = _parameters(environ)
    if signed.service == "ecr":
        return f"{place}:repository/{parameters.get('repositoryName', '*')}"
    if signed.service == "codebuild":
        return f"{place}:project/{parameters.get('projectName') or parameters.get('name', '*')}"
    return f"{place}:log-group:{parameters.get('logGroupName', '')}:log-stream:"


_FUNCTION = re.compile(r"/\d{4}-\d\d-\d\d/functions/(?:arn:[^/]*function:)?([^/:]+)")


def _json_error(status: int, code: str, message: str, **more: str) -> Response:
    body = json.dumps({"__type": code, "message": message, "Message": message, **more})
    headers = {"x-amzn-ErrorType": code, "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(body, status=status, headers=headers, content_type="application/x-amz-json-1.1")


def _xml_error(status: int, code: str, message: str) -> Response:
    request_id = str(uuid.uuid4())
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(body, status=status, headers={"x-amzn-RequestId": request_id}, content_type="text/xml")
