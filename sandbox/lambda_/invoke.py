"""Invoke: routes to a version, checks what Lambda checks, and runs the handler in an execution environment.

moto gives the payload back, without log, version or errors; AWS runs the image's handler.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import clock
from sandbox.clock import CLOCK
from sandbox.core.protocol import Call, Reply, ServiceError
from sandbox.lambda_ import image_rules
from sandbox.lambda_.aliases import choose
from sandbox.lambda_.launch import (
    InvalidEntrypointError,
    launch,
    log_stream,
    log_writer,
    not_started,
    recorded,
    recorded_response,
)
from sandbox.lambda_.model import ACTIVE, PUBLISHED_LATEST, RESTORING, Condition, Function, Version
from sandbox.lambda_.rest_service import LAMBDA, Target, conflict, find_target, find_version
from sandbox.lambda_.runtime.environment import Environment, Outcome
from sandbox.lambda_.runtime.pool import ENVIRONMENTS
from sandbox.lambda_.runtime.runtime_api import Event
from sandbox.lambda_.tenants import check_tenant
from sandbox.logs import metrics

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
    target, version = routed(call)
    check_tenant(call, target.function)
    check_payload(call, MAX_ASYNC if kind == "Event" else MAX_SYNC)
    executed = {"X-Amz-Executed-Version": version.number}
    if kind == "DryRun":
        return Reply(204, headers=executed)
    check_state(target.function, version)
    if kind == "Event":
        threading.Thread(target=_in_background, args=(call, target, version), daemon=True).start()
        return Reply(202)
    outcome = execute(call, target, version)
    if outcome.failed:
        executed["X-Amz-Function-Error"] = "Unhandled"
    if call.get("LogType") == "Tail":
        executed["X-Amz-Log-Result"] = log_tail(outcome)
    return Reply(200, outcome.payload, executed)


def log_tail(outcome: Outcome) -> str:
    """LogResult: the last 4 KB of the log, in base64."""
    text = "".join(f"{line}\n" for line in outcome.lines).encode()
    return base64.b64encode(text[-TAIL:]).decode()


def routed(call: Call) -> tuple[Target, Version]:
    """What a call names, and the version that it runs: an alias with weights chooses anew for each call."""
    target = find_target(call)
    if target.alias is None:
        published = None if target.qualifier else target.function.versions.get(PUBLISHED_LATEST)
        return target, published or target.version
    return target, find_version(target.function, choose(target.alias))


def check_payload(call: Call, limit: int) -> None:
    """Refuse what is too large and what is no JSON."""
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


def check_state(function: Function, version: Version) -> None:
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
    manifest, missing = image_rules.manifest_of(version.code, function.account, function.name)
    if manifest is not None:
        return image_rules.config_of(manifest)
    reason = _REASONS[missing].format(uri=version.code.resolved_uri)
    version.condition = Condition("Inactive", missing, reason)
    raise ServiceError("CodeArtifactUserFailedException", 409, f"The function could not be invoked. {reason}")


def execute(
    call: Call,
    target: Target,
    version: Version,
    *,
    on_chunk: Callable[[bytes], None] | None = None,
    counts_throttle: bool = True,
) -> Outcome:
    """Run the version where there is room for it, and record the metrics. Raises TooManyRequestsException."""
    function = target.function
    source = metrics.Source(function.account, function.region, function.name, target.qualifier or "", version.number)
    with _slot(function, source if counts_throttle else None) as concurrent:
        began = clock.seconds()
        outcome = _run(call, target, version, on_chunk)
    metrics.record_invocation(
        source, milliseconds=outcome.milliseconds, failed=outcome.failed, began=began, concurrent=concurrent
    )
    return outcome


@contextmanager
def _slot(function: Function, source: metrics.Source | None) -> Iterator[int]:
    """A place among the function's concurrent executions, and how many they are with it.

    Raises TooManyRequestsException, and records it under the source.
    """
    with function.lock:
        if function.reserved is not None and function.running >= function.reserved:
            if source:
                metrics.record_throttle(source)
            raise ServiceError(
                "TooManyRequestsException",
                429,
                "Rate Exceeded.",
                Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
            )
        function.running += 1
        concurrent = function.running
    try:
        yield concurrent
    finally:
        with function.lock:
            function.running -= 1


def _in_background(call: Call, target: Target, version: Version) -> None:
    """Run an asynchronous event once, when there is room for it.

    AWS waits for room up to six hours and runs an event that failed twice more; the sandbox does neither.
    """
    patience, is_first = time.monotonic() + ASYNC_PATIENCE, True
    while True:
        try:
            execute(call, target, version, counts_throttle=is_first)
        except ServiceError as error:
            if error.status == 429 and time.monotonic() < patience:
                is_first = False
                time.sleep(0.05)
                continue
            write = log_writer(target.function, version, log_stream(target.function, version))
            write([f"[sandbox] the event {call.request_id} was dropped: {error}"])
        return


def _run(call: Call, target: Target, version: Version, on_chunk: Callable[[bytes], None] | None) -> Outcome:
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
    deadline = int((time.time() + version.settings.timeout) * 1000)  # noqa: TID251 - the handler's own clock
    context = base64.b64decode(call.get("ClientContext", "")).decode(errors="replace")
    try:
        return environment.invoke(Event(call.request_id, call.body or b"{}", arn, deadline, context, on_chunk))
    finally:
        ENVIRONMENTS.give_back(environment)
