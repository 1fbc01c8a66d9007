"""A small runtime interface client for systems without awslambdaric's wheels (macOS). Run as a script: HANDLER.

Speaks the Lambda Runtime API of AWS_LAMBDA_RUNTIME_API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
with the standard library alone, since it shares its process with the handler's own code.
"""

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

_BASE = "/2018-06-01/runtime"
Handler = Callable[[Any, "Context"], Any]


class Context:
    """What a handler may ask about its invocation."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.client_context = None
        self.identity = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""
        return max(0, self._deadline_ms - int(time.time() * 1000))  # noqa: TID251 - a process of its own


class InitError(Exception):
    """The handler cannot be loaded; `kind` is Lambda's errorType."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def load(name: str) -> Handler:
    """Import "module.function". Raises InitError with Lambda's error types."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    handler: Handler | None = getattr(module, function_name, None)
    if handler is None:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message)
    return handler


class Client:
    """One kept connection to the Runtime API."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[bytes, Mapping[str, str]]:
        """Wait for the next event."""
        return self._call("GET", "/invocation/next")

    def respond(self, request_id: str, body: bytes) -> None:
        """Give a result."""
        self._call("POST", f"/invocation/{request_id}/response", body)

    def fail(self, path: str, document: Mapping[str, Any]) -> None:
        """Report an error of an invocation or of the init phase."""
        kind = {"Lambda-Runtime-Function-Error-Type": str(document["errorType"])}
        self._call("POST", path, json.dumps(document).encode(), kind)

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, Mapping[str, str]]:
        self._connection.request(method, _BASE + path, body, dict(headers or {}))
        answer = self._connection.getresponse()
        return answer.read(), dict(answer.headers)


def describe(error: BaseException, kind: str = "") -> dict[str, Any]:
    """An error as Lambda's Python runtime reports it; the frames of this loop are left out."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": kind or type(error).__name__,
        "stackTrace": [] if kind else traceback.format_list(frames),
    }


def log(document: Mapping[str, Any]) -> None:
    """The error as one log event, its lines joined by carriage returns as Lambda's runtimes do."""
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    lines += [line for frame in document["stackTrace"] for line in frame.splitlines()]
    print("\r".join(lines), flush=True)


def serve(client: Client, handler: Handler) -> None:
    """Answer events for ever."""
    while True:
        body, headers = client.next()
        context = Context(headers)
        try:
            result = json.dumps(handler(json.loads(body), context)).encode()
        except Exception as error:  # noqa: BLE001  the boundary: every error of a handler is the function's answer
            document = {**describe(error), "requestId": context.aws_request_id}
            log(document)
            client.fail(f"/invocation/{context.aws_request_id}/error", document)
        else:
            client.respond(context.aws_request_id, result)


def main() -> None:
    """Load the handler named by the first argument and serve it; exit code 1 when it cannot be loaded."""
    client = Client(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(sys.argv[1])
    except Exception as error:
        document = describe(error, error.kind if isinstance(error, InitError) else "")
        log(document)
        client.fail("/init/error", document)
        raise SystemExit(1) from error
    serve(client, handler)


if __name__ == "__main__":
    main()
