"""Invoke: the handler of the image really runs; kinds of invocation, versions, payloads."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.images.making import make_image, make_layer
from tests.sandbox.functions import CREATED, Functions, python_image, until

CONTEXT = """
import os
print("loaded once")
def handler(event, context):
    print("called with", event)
    return {
        "function": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "group": os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        "region": os.environ["AWS_REGION"],
        "own": os.environ.get("OWN"),
    }
"""


def test_the_handler_in_the_images_layers_runs(functions: Functions) -> None:
    base = python_image("def handler(event, context):\n    return 'base'\n")
    files = {
        "var/task/app.py": b"from lib import answer\ndef handler(event, context):\n    return answer(event)\n",
        "var/task/lib.py": b"def answer(event):\n    return {'heard': event}\n",
    }
    functions.deploy(make_image([make_layer(files)], created=CREATED, base=base))
    answer = functions.invoke(event={"who": "world"})
    assert (answer.status, answer.error, answer.version) == (200, None, "$LATEST")
    assert answer.payload == {"heard": {"who": "world"}}


def test_a_file_deleted_by_a_layer_is_gone(functions: Functions) -> None:
    code = "import os\ndef handler(event, context):\n    return sorted(os.listdir())\n"
    layers = [
        make_layer({"var/task/old.txt": b"", "var/task/cache/a": b"", "var/task/app.py": code.encode()}),
        make_layer({"var/task/.wh.old.txt": b"", "var/task/cache/.wh..wh..opq": b"", "var/task/cache/b": b""}),
    ]
    config = {"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"], "WorkingDir": "/var/task"}
    functions.deploy(make_image(layers, created=CREATED, config=config))
    assert functions.invoke().payload == ["app.py", "cache"]


def test_the_context_and_the_environment_are_lambdas(functions: Functions) -> None:
    functions.deploy(CONTEXT, MemorySize=256, Timeout=30, Environment={"Variables": {"OWN": "value"}})
    functions.publish()
    payload = functions.invoke(Qualifier="1").payload
    assert (payload["function"], payload["version"], payload["memory"]) == ("app", "1", "256")
    assert payload["arn"].endswith(":function:app:1")
    assert 25_000 < payload["left"] <= 30_000
    assert (payload["group"], payload["region"], payload["own"]) == ("/aws/lambda/app", "eu-west-1", "value")


def test_the_request_id_is_the_one_in_the_answers_header(functions: Functions) -> None:
    functions.deploy(CONTEXT)
    answer = functions.api.invoke(FunctionName="app")
    assert json.load(answer["Payload"])["request"] == answer["ResponseMetadata"]["RequestId"]


def test_the_environment_stays_warm(functions: Functions) -> None:
    functions.deploy(CONTEXT)
    for _ in range(3):
        functions.invoke()
    assert functions.lines().count("loaded once") == 1
    assert sum("Init Duration" in line for line in functions.lines()) == 1


def test_the_executed_version_is_told(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    assert functions.invoke(Qualifier="live").version == "1"
    assert functions.invoke(f"{functions.read()['FunctionArn']}:live").version == "1"


def test_an_event_is_answered_at_once_and_runs_in_the_background(functions: Functions) -> None:
    functions.deploy("import time\ndef handler(event, context):\n    time.sleep(1.5)\n    print('done later')\n")
    answer = functions.invoke(InvocationType="Event")
    assert (answer.status, answer.payload) == (202, None)
    assert "done later" not in functions.lines()
    until(lambda: "done later" in functions.lines())


def test_a_dry_run_runs_nothing(functions: Functions) -> None:
    functions.deploy(CONTEXT)
    answer = functions.invoke(InvocationType="DryRun")
    assert (answer.status, answer.payload) == (204, None)
    assert functions.lines() == []


@pytest.mark.parametrize("qualifier", ["7", "missing"])
def test_a_qualifier_that_leads_nowhere_is_not_found(functions: Functions, qualifier: str) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException, match=f"function:app:{qualifier}"):
        functions.invoke(Qualifier=qualifier)


def test_a_payload_that_is_no_json_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidRequestContentException, match="Could not parse request body"):
        functions.invoke(Payload=b"{nonsense")


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_a_payload_above_the_limit_is_refused(functions: Functions, kind: str, limit: int) -> None:
    functions.deploy()
    with pytest.raises(ClientError, match="must be smaller than") as refused:
        functions.invoke(Payload=json.dumps("x" * limit).encode(), InvocationType=kind)
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_answer_above_6_mb_is_a_function_error(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    return 'x' * 6_300_000\n", Timeout=30)
    answer = functions.invoke()
    assert (answer.error, answer.payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


def test_calls_at_the_same_time_run_in_environments_of_their_own(functions: Functions) -> None:
    functions.deploy(
        "import time\ndef handler(event, context):\n    print('begin')\n    time.sleep(1)\n    print('end')\n",
        Timeout=10,
    )
    for _ in range(2):
        functions.invoke(InvocationType="Event")
    until(lambda: functions.lines().count("end") == 2)
    spoken = [line for line in functions.lines() if line in ("begin", "end")]
    assert spoken == ["begin", "begin", "end", "end"]


def test_a_response_stream_carries_the_payload_and_the_log(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    print('hello')\n    return 'x' * 150_000\n")
    answer = functions.api.invoke_with_response_stream(FunctionName="app", LogType="Tail")
    events = list(answer["EventStream"])
    chunks = [event["PayloadChunk"]["Payload"] for event in events[:-1]]
    assert len(chunks) > 1
    assert json.loads(b"".join(chunks)) == "x" * 150_000
    assert events[-1]["InvokeComplete"]["LogResult"]
    assert "ErrorCode" not in events[-1]["InvokeComplete"]


def test_a_response_stream_ends_with_the_error_of_a_failed_function(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    raise KeyError('gone')\n")
    *_, last = functions.api.invoke_with_response_stream(FunctionName="app")["EventStream"]
    assert last["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert json.loads(last["InvokeComplete"]["ErrorDetails"])["errorType"] == "KeyError"


def test_an_image_with_a_recorded_response_answers_with_it_and_says_so(functions: Functions) -> None:
    layer = make_layer({"var/task/index.mjs": b"export const handler = async () => ({statusCode: 200})\n"})
    config = {
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["index.handler"],
        "Labels": {"drydock.sandbox.response": '{"statusCode": 200}'},
    }
    functions.deploy(make_image([layer], created=datetime(2026, 5, 1, tzinfo=UTC), config=config))
    answer = functions.invoke()
    assert (answer.error, answer.payload) == (None, {"statusCode": 200})
    assert "was recorded" in answer.log
    assert any("was recorded" in line for line in functions.lines())
