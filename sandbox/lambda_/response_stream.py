"""InvokeWithResponseStream: the payload's parts as the runtime sends them, then InvokeComplete.

awslambdaric sends a Python handler's payload whole, as on AWS; a runtime that streams to the Runtime API
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming) is passed on part
by part, and may break off in the middle.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator

from sandbox.core.event_stream import event
from sandbox.core.protocol import Call, Reply
from sandbox.lambda_.invoke import MAX_SYNC, check_payload, check_state, execute, log_tail, routed
from sandbox.lambda_.model import Version
from sandbox.lambda_.rest_service import LAMBDA, Target
from sandbox.lambda_.runtime.environment import Outcome
from sandbox.lambda_.tenants import check_tenant

_PART = 64 * 1024
Arrivals = queue.SimpleQueue[bytes | Outcome | Exception]


@LAMBDA.operation("InvokeWithResponseStream")
def invoke_with_response_stream(call: Call) -> Reply:
    """Run a function and answer as an event stream. What goes wrong before its first byte is an HTTP error."""
    target, version = routed(call)
    check_tenant(call, target.function)
    check_payload(call, MAX_SYNC)
    headers = {"X-Amz-Executed-Version": version.number, "Content-Type": "application/vnd.amazon.eventstream"}
    if call.get("InvocationType") == "DryRun":
        return Reply(204, headers=headers)
    check_state(target.function, version)
    arrivals: Arrivals = queue.SimpleQueue()
    threading.Thread(target=_work, args=(call, target, version, arrivals), name="response-stream", daemon=True).start()
    first = arrivals.get()
    if isinstance(first, Exception):
        raise first
    return Reply(200, _messages(call, first, arrivals), headers)


def _work(call: Call, target: Target, version: Version, arrivals: Arrivals) -> None:
    try:
        arrivals.put(execute(call, target, version, on_chunk=arrivals.put))
    except Exception as error:  # noqa: BLE001  handed to the thread that answers, which raises it
        arrivals.put(error)


def _messages(call: Call, arrived: bytes | Outcome | Exception, arrivals: Arrivals) -> Iterator[bytes]:
    was_streamed = isinstance(arrived, bytes)
    while isinstance(arrived, bytes):
        yield _chunk(arrived)
        arrived = arrivals.get()
    if isinstance(arrived, Exception):
        raise arrived
    complete: dict[str, str] = {}
    if arrived.failed:
        complete = {"ErrorCode": "Unhandled", "ErrorDetails": arrived.payload.decode(errors="replace")}
    elif not was_streamed:
        yield from (_chunk(arrived.payload[at : at + _PART]) for at in range(0, len(arrived.payload), _PART))
    if call.get("LogType") == "Tail":
        complete["LogResult"] = log_tail(arrived)
    yield event("InvokeComplete", json.dumps(complete).encode())


def _chunk(payload: bytes) -> bytes:
    return event("PayloadChunk", payload, "application/octet-stream")
