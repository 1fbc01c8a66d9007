"""Execution environments in-process: both runtime clients behave alike, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sandbox.images.making import make_layer
from sandbox.lambda_.runtime.environment import HAS_RIC, Environment, Launch
from sandbox.lambda_.runtime.pool import MAX_IDLE, Environments
from sandbox.lambda_.runtime.root_files import Roots, unpack
from sandbox.lambda_.runtime.runtime_api import Event
from tests.sandbox.functions import until

ROOT = Path(__file__).parents[3]
HANDLER = """
def handler(event, context):
    print("heard", event)
    if event == "fail":
        raise ValueError("as told")
    return {"id": context.aws_request_id, "left": context.get_remaining_time_in_millis() > 0, "event": event}
"""
Start = Callable[..., Environment]
LOOPS = [pytest.param(True, id="own loop")] + ([pytest.param(False, id="awslambdaric")] if HAS_RIC else [])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts environments of a handler's code and ends them."""
    started: list[Environment] = []

    def run(code: str = HANDLER, *, own_loop: bool = True, handler: str = "app.handler") -> Environment:
        root = tmp_path / str(len(started))
        root.mkdir()
        (root / "app.py").write_text(code)
        written: list[str] = []

        def write(lines: Sequence[str]) -> None:
            written.extend(lines)

        launch = Launch("$LATEST", 128, 5, handler, root, "/", {}, write, own_loop=own_loop)
        started.append(Environment(launch))
        return started[-1]

    yield run
    for environment in started:
        environment.close()


def event(payload: object, number: int = 1) -> Event:
    """An event with five seconds to go."""
    deadline = int((time.time() + 5) * 1000)
    return Event(f"00000000-0000-0000-0000-{number:012d}", json.dumps(payload).encode(), "arn:aws:lambda:x", deadline)


@pytest.mark.parametrize("own_loop", LOOPS)
def test_a_handler_answers_event_after_event(start: Start, own_loop: bool) -> None:
    environment = start(own_loop=own_loop)
    for number in (1, 2):
        outcome = environment.invoke(event({"n": number}, number))
        assert not outcome.failed
        assert json.loads(outcome.payload) == {"id": event(0, number).request_id, "left": True, "event": {"n": number}}
        assert outcome.lines[1] == f"heard {{'n': {number}}}"


@pytest.mark.parametrize("own_loop", LOOPS)
def test_an_error_names_its_type_and_its_place(start: Start, own_loop: bool) -> None:
    outcome = start(own_loop=own_loop).invoke(event("fail"))
    document = json.loads(outcome.payload)
    assert outcome.failed
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "as told")
    assert document["requestId"] == event("fail").request_id
    assert 'File "/app.py", line 5, in handler' in document["stackTrace"][0]
    logged = next(line for line in outcome.lines if line.startswith("[ERROR]"))
    assert logged.startswith("[ERROR] ValueError: as told\rTraceback (most recent call last):")


@pytest.mark.parametrize("own_loop", LOOPS)
@pytest.mark.parametrize(
    ("code", "handler", "error_type"),
    [
        ("import nowhere", "app.handler", "Runtime.ImportModuleError"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("x = ", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("1 / 0", "app.handler", "ZeroDivisionError"),
        (HANDLER, "handler", "Runtime.MalformedHandlerName"),
    ],
)
def test_an_init_error_names_its_type(start: Start, own_loop: bool, code: str, handler: str, error_type: str) -> None:
    environment = start(code, own_loop=own_loop, handler=handler)
    outcome = environment.invoke(event(1))
    assert (outcome.failed, json.loads(outcome.payload)["errorType"]) == (True, error_type)
    assert not environment.is_usable


def test_a_warm_environment_is_given_to_the_next_caller(start: Start) -> None:
    pool = Environments()
    environment = pool.adopt("generation", start())
    assert pool.take("generation") is None, "it is leased"
    pool.give_back(environment)
    assert pool.take("another") is None
    assert pool.take("generation") is environment


def test_a_retired_environment_at_work_is_not_kept(start: Start) -> None:
    pool = Environments()
    environment = pool.adopt("generation", start())
    pool.retire("generation")
    assert environment.is_usable, "it may finish"
    pool.give_back(environment)
    assert not environment.is_usable
    assert pool.take("generation") is None


def test_only_so_many_environments_are_kept(start: Start) -> None:
    pool = Environments()
    for number in range(MAX_IDLE + 1):
        pool.give_back(pool.adopt(str(number), start()))
    assert pool.take("0") is None, "the oldest made room"
    assert pool.take("1") is not None
    pool.shutdown()


@pytest.mark.parametrize("name", ["a/../../escaped", "a/.wh..."])
def test_a_layer_cannot_reach_outside_its_root(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(tarfile.ExtractError, match="leads out of the image"):
        unpack([make_layer({name: b""}).tar], root)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_an_unpacking_that_failed_is_begun_anew() -> None:
    roots = Roots()
    with pytest.raises(tarfile.ExtractError):
        roots.root("sha256:1", lambda: [make_layer({"../a": b""}).tar])
    assert (roots.root("sha256:1", lambda: [make_layer({"a": b"x"}).tar]) / "a").read_bytes() == b"x"
    roots.clear()


def test_the_sandboxs_end_ends_its_functions(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from sandbox.lambda_.runtime.environment import Environment, Launch\n"
        "from sandbox.lambda_.runtime.pool import ENVIRONMENTS\n"
        "root = Path(sys.argv[1])\n"
        "launch = Launch('1', 128, 60, 'app.handler', root, '/', {}, print, own_loop=True)\n"
        "environment = ENVIRONMENTS.adopt('x', Environment(launch))\n"
        "environment.api.polled.wait(10)\n"
        "print(environment._process.pid, environment._scratch, flush=True)\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "app.py").write_text(HANDLER)
    program = f"import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n{script}"
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, scratch = process.stdout.readline().split()
        assert _is_running(int(pid))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    until(lambda: not _is_running(int(pid)))
    assert not Path(scratch).parent.exists()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())
