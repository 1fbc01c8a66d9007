"""Invoke: routes to a version, checks what Lambda checks, and runs the handler in an execution environment."""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import lambda_images
from sandbox.clock import CLOCK
from sandbox.lambda_aliases import choose
from sandbox.lambda_launch import (
    InvalidEntrypointError,
    launch,
    log_stream,
    log_writer,
    not_started,
    recorded,
    recorded_response,
)
from sandbox.lambda_model import ACTIVE, RESTORING, Condition, Function, Version
from sandbox.lambda_service import LAMBDA, Target, conflict, find_target, find_version
from sandbox.protocol import Call, Reply, ServiceError
from sandbox.runtime import Environment, Outcome
from sandbox.runtime_api import Event
from sandbox.runtime_pool import ENVIRONMENTS

MAX_SYNC = 6_291_456
MAX_ASYNC = 1_048_576
TAIL = 4096
ASYNC_PATIENCE = 10.0
"""Seconds that an asynchronous event waits for a throttled function."""
_REASONS = {
    "ImageDeleted": "The image was deleted from ECR: {uri}",
    "ImageAccessDenied": "Lambda does not have permission to access the ECR image. Check the ECR permissions: {uri}",
}


@LAMBDA.operation("Invoke")
def invoke(call: Call) -> Reply:
    """Run a function: RequestResponse waits for it, Event answers 202 at once, DryRun answers 204."""
    kind = call.get("InvocationType", "RequestResponse")
    target, version = _routed(call)
    _check_payload(call, MAX_ASYNC if kind == "Event" else MAX_SYNC)
    executed = {"X-Amz-Executed-Version": version.number}
    if kind == "DryRun":
        return Reply(204, headers=executed)
    _check_state(target.function, version)
    if kind == "Event":
        threading.Thread(target=_in_background, args=(call, target, version), daemon=True).start()
        return Reply(202)
    with _slot(target.function):
        outcome = _run(call, target, version)
    if outcome.failed:
        executed["X-Amz-Function-Error"] = "Unhandled"
    if call.get("LogType") == "Tail":
        executed["X-Amz-Log-Result"] = log_tail(outcome)
    return Reply(200, outcome.payload, executed)


@LAMBDA.operation("InvokeWithResponseStream")
def invoke_with_response_stream(call: Call) -> Reply:
    """Run a function and answer as an event stream: payload chunks, then InvokeComplete.

    Python handlers return whole payloads, so the chunks come at the end, as on AWS.
    """
    target, version = _routed(call)
    _check_payload(call, MAX_SYNC)
    headers = {"X-Amz-Executed-Version": version.number, "Content-Type": "application/vnd.amazon.eventstream"}
    if call.get("InvocationType") == "DryRun":
        return Reply(204, headers=headers)
    _check_state(target.function, version)
    with _slot(target.function):
        outcome = _run(call, target, version)
    complete: dict[str, str] = {}
    if outcome.failed:
        complete = {"ErrorCode": "Unhandled", "ErrorDetails": outcome.payload.decode(errors="replace")}
    if call.get("LogType") == "Tail":
        complete["LogResult"] = log_tail(outcome)
    parts = [] if outcome.failed else list(_chunks(outcome.payload))
    messages = [_message("PayloadChunk", "application/octet-stream", part) for part in parts]
    messages.append(_message("InvokeComplete", "application/json", json.dumps(complete).encode()))
    return Reply(200, b"".join(messages), headers)


def log_tail(outcome: Outcome) -> str:
    """LogResult: the last 4 KB of the log, in base64."""
    text = "".join(f"{line}\n" for line in outcome.lines).encode()
    return base64.b64encode(text[-TAIL:]).decode()


def _chunks(payload: bytes, size: int = 64 * 1024) -> Iterator[bytes]:
    for start in range(0, len(payload), size):
        yield payload[start : start + size]


def _message(event_type: str, content_type: str, payload: bytes) -> bytes:
    """One frame of AWS's event stream encoding (https://smithy.io/2.0/aws/amazon-eventstream.html)."""
    fields = {":event-type": event_type, ":content-type": content_type, ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in fields.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack("!I", zlib.crc32(frame))


def _routed(call: Call) -> tuple[Target, Version]:
    target = find_target(call)
    if target.alias is None:
        return target, target.version
    return target, find_version(target.function, choose(target.alias))


def _check_payload(call: Call, limit: int) -> None:
    if len(call.body) > limit:
        raise ServiceError(
            "RequestEntityTooLargeException",
            413,
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
        )
    if not call.body:
        return
    try:
        json.loads(call.body)
    except ValueError as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise ServiceError("InvalidRequestContentException", 400, message) from error


def _check_state(function: Function, version: Version) -> None:
    """Refuse what is not Active; an idle function is woken by the call that it refuses."""
    with function.lock:
        state = version.state_at(time.monotonic())
        if state.name == "Active":
            return
        if state is RESTORING:
            raise _still_pending()
        if state.name != "Inactive":
            raise conflict(
                "The operation cannot be performed at this time. The function is currently in the following state: "
                f"{state.name}"
            )
        _require_image(function, version)
        version.waiting, version.condition = RESTORING, ACTIVE
        version.pending_until = time.monotonic() + CLOCK.wake
    raise _still_pending()


def _still_pending() -> ServiceError:
    message = "Lambda is initializing your function. It will be ready to invoke shortly."
    return ServiceError("CodeArtifactUserPendingException", 409, message)


def _require_image(function: Function, version: Version) -> dict[str, Any]:
    """The image's config, as a cold start needs it. Without the image the version goes Inactive and the call fails."""
    manifest, missing = lambda_images.manifest_of(version.code, function.account)
    if manifest is not None:
        return lambda_images.config_of(manifest)
    reason = _REASONS[missing].format(uri=version.code.resolved_uri)
    version.condition = Condition("Inactive", missing, reason)
    version.touch()
    raise ServiceError("CodeArtifactUserFailedException", 409, f"The function could not be invoked. {reason}")


@contextmanager
def _slot(function: Function) -> Iterator[None]:
    """A place among the function's concurrent executions. Raises TooManyRequestsException."""
    with function.lock:
        if function.reserved is not None and function.running >= function.reserved:
            raise ServiceError(
                "TooManyRequestsException",
                429,
                "Rate Exceeded.",
                Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
            )
        function.running += 1
    try:
        yield
    finally:
        with function.lock:
            function.running -= 1


def _in_background(call: Call, target: Target, version: Version) -> None:
    """Run an asynchronous event once, when there is room for it.

    AWS waits for room up to six hours and runs an event that failed twice more; the sandbox does neither.
    """
    patience = time.monotonic() + ASYNC_PATIENCE
    while True:
        try:
            with _slot(target.function):
                _run(call, target, version)
        except ServiceError as error:
            if error.status == 429 and time.monotonic() < patience:
                time.sleep(0.05)
                continue
            write = log_writer(target.function, version, log_stream(version))
            write([f"[sandbox] the event {call.request_id} was dropped: {error}"])
        return


def _run(call: Call, target: Target, version: Version) -> Outcome:
    function = target.function
    environment = ENVIRONMENTS.take(version.generation)
    if environment is None:
        config = _require_image(function, version)
        response = recorded_response(config)
        if response is not None:
            return recorded(function, version, call.request_id, response)
        try:
            environment = ENVIRONMENTS.adopt(version.generation, Environment(launch(function, version, config)))
        except InvalidEntrypointError as error:
            return not_started(function, version, call.request_id, error)
    arn = f"{function.arn}:{target.qualifier}" if target.qualifier else function.arn
    deadline = int((time.time() + version.settings.timeout) * 1000)
    context = base64.b64decode(call.get("ClientContext", "")).decode(errors="replace")
    try:
        return environment.invoke(Event(call.request_id, call.body or b"{}", arn, deadline, context))
    finally:
        ENVIRONMENTS.give_back(environment)
