"""Functions that fail: in the handler, at init, by time, by their process's end."""

import pytest

from sandbox.images.making import make_image, make_layer
from tests.sandbox.functions import CREATED, Functions, python_image, until


def test_a_handlers_exception_is_a_function_error_with_its_type(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    raise ValueError('no such order')\n")
    answer = functions.invoke()
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert (answer.payload["errorType"], answer.payload["errorMessage"]) == ("ValueError", "no such order")
    assert 'File "/var/task/app.py", line 2, in handler' in answer.payload["stackTrace"][0]
    assert "[ERROR] ValueError: no such order\rTraceback (most recent call last):" in answer.log


def test_a_function_works_again_after_an_error(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    return 1 // event\n")
    assert functions.invoke(event=0).payload["errorType"] == "ZeroDivisionError"
    assert functions.invoke(event=1).payload == 1


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("import nowhere\n", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def other(event, context): ...\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(event, context:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("raise RuntimeError('no config')\n", "RuntimeError", "no config"),
    ],
)
def test_an_init_error_tells_its_type(functions: Functions, code: str, error_type: str, message: str) -> None:
    functions.deploy(code)
    answer = functions.invoke()
    assert (answer.error, answer.payload["errorType"]) == ("Unhandled", error_type)
    assert message in answer.payload["errorMessage"]
    assert f"Status: error\tError Type: {error_type}" in answer.log
    init_report = next(line for line in functions.lines() if line.startswith("INIT_REPORT"))
    assert f"Phase: init\tStatus: error\tError Type: {error_type}" in init_report


def test_a_function_that_ends_its_process_tells_the_exit_code(functions: Functions) -> None:
    functions.deploy("import os\ndef handler(event, context):\n    os._exit(event)\n")
    failed = functions.invoke(event=3)
    assert failed.error == "Unhandled"
    assert failed.payload["errorType"] == "Runtime.ExitError"
    assert failed.payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert functions.invoke(event=0).payload["errorMessage"].endswith("Runtime exited without providing a reason")


def test_a_timeout_kills_the_function(functions: Functions) -> None:
    functions.deploy(
        "import time\ndef handler(event, context):\n    print('waiting')\n    time.sleep(1.5)\n    print('survived')\n",
        Timeout=1,
    )
    answer = functions.invoke()
    assert (answer.error, answer.payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "Task timed out after 1.00 seconds" in answer.log
    assert "Duration: 1000.00 ms" in answer.log
    assert "Status: timeout" in answer.log
    second = functions.invoke()
    assert "Init Duration" in second.log, "the killed environment must not be used again"
    assert "survived" not in functions.lines()


def test_a_timeout_kills_the_functions_children_too(functions: Functions) -> None:
    code = (
        "import subprocess, sys, time\n"
        "def handler(event, context):\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1.5); print(\"orphan\", flush=True)'])\n"
        "    time.sleep(10)\n"
    )
    functions.deploy(code, Timeout=1)
    functions.deploy("import time\ndef handler(event, context):\n    time.sleep(event)\n", name="clock")
    functions.invoke()
    functions.invoke("clock", event=1)
    assert "orphan" not in functions.lines()


def test_an_entrypoint_that_is_not_in_the_image_does_not_start(functions: Functions) -> None:
    layer = make_layer({"app.py": b""})
    functions.deploy(make_image([layer], created=CREATED, config={"Entrypoint": ["/bootstrap"]}))
    answer = functions.invoke()
    assert (answer.error, answer.payload["errorType"]) == ("Unhandled", "Runtime.InvalidEntrypoint")
    assert "fork/exec /bootstrap: no such file or directory" in answer.payload["errorMessage"]


def test_an_image_that_calls_the_runtime_client_itself_runs(functions: Functions) -> None:
    image = python_image(Entrypoint=["/usr/local/bin/python", "-m", "awslambdaric"])
    functions.deploy(image)
    assert functions.invoke(event="ran").payload == "ran"


def test_an_event_that_fails_leaves_its_error_in_the_log(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    raise ValueError('lost')\n")
    functions.invoke(InvocationType="Event")
    until(lambda: any(line.startswith("[ERROR] ValueError: lost") for line in functions.lines()))
