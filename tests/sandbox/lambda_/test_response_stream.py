"""InvokeWithResponseStream: parts as they come, errors before and in the middle of the stream, and its last word."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions import Functions

STREAMS = """
import http.client, json, os, time
def handler(event, context):
    print('streaming')
    api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
    api.putrequest('POST', f'/2018-06-01/runtime/invocation/{context.aws_request_id}/response')
    api.putheader('Lambda-Runtime-Function-Response-Mode', 'streaming')
    api.putheader('Transfer-Encoding', 'chunked')
    api.putheader('Trailer', 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body')
    api.endheaders()
    for part in event['parts']:
        api.send(b'%x\\r\\n%b\\r\\n' % (len(part), part.encode()))
        time.sleep(event.get('pause', 0))
    api.send(b'0\\r\\n' + event.get('trailers', '').encode() + b'\\r\\n')
    api.getresponse().read()
"""
"""A handler that streams to the Runtime API itself, as Node's and custom runtimes do."""


def stream(functions: Functions, event: object = None, **more: Any) -> Iterator[dict[str, Any]]:
    """The events of an invocation, as they come."""
    answer = functions.api.invoke_with_response_stream(FunctionName="app", Payload=json.dumps(event).encode(), **more)
    events: Iterator[dict[str, Any]] = iter(answer["EventStream"])
    return events


def parts(events: list[dict[str, Any]]) -> list[bytes]:
    """The payloads of the chunks."""
    return [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]


def test_parts_arrive_while_the_function_still_runs(functions: Functions) -> None:
    functions.deploy(STREAMS, Timeout=10)
    events = stream(functions, {"parts": ["first ", "second"], "pause": 1.5})
    started = next(events)
    began = time.monotonic()
    assert started["PayloadChunk"]["Payload"] == b"first "
    rest = list(events)
    assert time.monotonic() - began > 1, "the first part came before the last was sent"
    assert parts(rest) == [b"second"]
    assert rest[-1] == {"InvokeComplete": {}}


def test_the_last_event_carries_the_log_when_it_is_asked_for(functions: Functions) -> None:
    functions.deploy(STREAMS)
    *_, last = stream(functions, {"parts": ["a"]}, LogType="Tail")
    lines = base64.b64decode(last["InvokeComplete"]["LogResult"]).decode().splitlines()
    assert lines[0].startswith("START")
    assert "streaming" in lines
    assert lines[-1].startswith("REPORT")


def test_a_stream_that_breaks_off_ends_with_the_runtimes_error(functions: Functions) -> None:
    functions.deploy(STREAMS)
    error = json.dumps({"errorType": "Broken", "errorMessage": "no more"})
    trailers = (
        "Lambda-Runtime-Function-Error-Type: Function.Broken\r\n"
        f"Lambda-Runtime-Function-Error-Body: {base64.b64encode(error.encode()).decode()}\r\n"
    )
    events = list(stream(functions, {"parts": ["half"], "trailers": trailers}, LogType="Tail"))
    assert parts(events) == [b"half"]
    complete = events[-1]["InvokeComplete"]
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Broken"
    assert complete["LogResult"]


def test_a_timeout_in_the_middle_of_a_stream_is_its_last_word(functions: Functions) -> None:
    functions.deploy(STREAMS, Timeout=1)
    events = list(stream(functions, {"parts": ["half", "never"], "pause": 20}))
    assert parts(events) == [b"half"]
    assert events[-1]["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in events[-1]["InvokeComplete"]["ErrorDetails"]


def test_a_runtime_that_dies_in_the_middle_of_a_stream_is_told(functions: Functions) -> None:
    functions.deploy(STREAMS.replace("    api.send(b'0", "    os._exit(3)\n    api.send(b'0"))
    # It dies a moment after it has sent: what a dying process leaves in a socket, nobody promises to pass on.
    events = list(stream(functions, {"parts": ["half"], "pause": 0.5}))
    assert parts(events) == [b"half"]
    assert "exit status 3" in events[-1]["InvokeComplete"]["ErrorDetails"]


def test_a_streamed_answer_may_be_larger_than_6_mb(functions: Functions) -> None:
    functions.deploy(STREAMS.replace("event['parts']", "['x' * 1_000_000] * 7"), Timeout=20)
    events = list(stream(functions, {}))
    assert sum(map(len, parts(events))) == 7_000_000
    assert events[-1] == {"InvokeComplete": {}}


def test_a_plain_invoke_of_a_streaming_runtime_has_the_whole_payload(functions: Functions) -> None:
    functions.deploy(STREAMS)
    assert functions.invoke(event={"parts": ['"a', 'b"']}).payload == "ab"


def test_the_executed_version_is_told_before_the_stream(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    answer = functions.api.invoke_with_response_stream(FunctionName="app", Qualifier="1")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
    assert list(answer["EventStream"])  # read to its end: one that is left open is closed at some later test's cost


def test_what_fails_before_the_first_byte_is_an_error_of_the_call(functions: Functions) -> None:
    functions.deploy()
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    with pytest.raises(functions.api.exceptions.TooManyRequestsException):
        stream(functions)
    functions.api.delete_function_concurrency(FunctionName="app")
    functions.ecr.delete_repository(repositoryName="app", force=True)
    with pytest.raises(ClientError, match="CodeArtifactUserFailedException"):
        stream(functions)
