"""Execution environments: a process per environment that really runs the handler found in an image's layers.

On Linux the process is awslambdaric, AWS's own runtime interface client; elsewhere runtime_loop.py. Both run on this
interpreter, whatever version the image names. What an image's root holds is read from the unpacked folder; /tmp is
the machine's own (TMPDIR names a folder of the environment's own), and memory is reported but not limited.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox import clock
from sandbox.lambda_.runtime import handler_loop
from sandbox.lambda_.runtime.platform_lines import Report, end_lines, init_failure_line, start_line
from sandbox.lambda_.runtime.root_files import ROOTS
from sandbox.lambda_.runtime.runtime_api import Event, Result, RuntimeApi

INIT_SECONDS = 10.0
MAX_RESPONSE = 6_291_556
HAS_RIC = sys.platform == "linux" and importlib.util.find_spec("awslambdaric") is not None


@dataclass(frozen=True)
class Launch:
    """All that is needed to start an environment. Memory in MB, timeout in seconds."""

    version: str
    memory: int
    timeout: float
    handler: str
    root: Path
    working_dir: str
    variables: Mapping[str, str]
    write: Callable[[Sequence[str]], None]
    """Takes log lines as they are written."""
    json_logs: bool = False
    warnings_only: bool = False
    """SystemLogLevel WARN of JSON logs: platform events of invocations that went well are left out."""
    own_loop: bool = not HAS_RIC


@dataclass(frozen=True)
class Outcome:
    """What an invocation gave: the payload or the error document, and its log from START to REPORT."""

    payload: bytes
    failed: bool = False
    lines: Sequence[str] = field(default_factory=tuple)
    milliseconds: float = 0.0
    """The handler's own time, as REPORT's Duration has it."""


class Environment:
    """One execution environment. It serves one invocation at a time and keeps its process between them."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.api = RuntimeApi()
        self._exit_code: int | None = None
        self._lines: list[str] = []
        self._rest = b""
        self._reading = threading.Lock()
        self._fresh, self._closed, self._output_ended = True, False, False
        self._peak = 0
        self._scratch = ROOTS.scratch()
        self._spawned_at = time.monotonic()
        self._process = self._spawn()
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        threading.Thread(target=self._follow_output, name="runtime-log", daemon=True).start()
        threading.Thread(target=self._follow_process, name="runtime-exit", daemon=True).start()

    @property
    def is_usable(self) -> bool:
        """Whether it can serve another invocation."""
        return not self._closed and self._exit_code is None and self.api.init_error is None

    def invoke(self, event: Event) -> Outcome:
        """Run one event through the handler, within the function's timeout."""
        init, failure = self._initialise()
        self._lines = []
        as_json = self.launch.json_logs
        if not self.launch.warnings_only:
            self._write([start_line(event.request_id, self.launch.version, as_json=as_json)])
        began = time.monotonic()
        status = "success"
        if failure is None:
            result, status, milliseconds = self._run(event, began)
        else:
            result, status, milliseconds = failure, "error", (time.monotonic() - began) * 1000
        self._drain()
        is_platform_error = failure is not None or status != "success"
        report = Report(
            event.request_id,
            self.launch.version,
            milliseconds,
            self.launch.memory,
            self._peak_memory(),
            init,
            status,
            result.error_type if is_platform_error and status == "error" else "",
        )
        if status != "success" or failure is not None:
            self.close()
        if status != "success" or not self.launch.warnings_only:
            self._write(end_lines(report, as_json=as_json))
        return Outcome(result.payload, bool(result.error_type), tuple(self._lines), milliseconds)

    def close(self) -> None:
        """Kill the process with its children; the log that it wrote is kept."""
        self._closed = True
        self.api.close()
        # It may have gone already, which macOS says with EPERM.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    # The process

    def _spawn(self) -> subprocess.Popen[bytes]:
        folder = self.launch.root / self.launch.working_dir.lstrip("/")
        loop = ["-P", handler_loop.__file__] if self.launch.own_loop else ["-m", "awslambdaric"]
        variables = {
            **self.launch.variables,
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self._scratch),
            "HOME": str(self._scratch),
        }
        return subprocess.Popen(
            [sys.executable, *loop, self.launch.handler],
            cwd=folder if folder.is_dir() else self.launch.root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _follow_process(self) -> None:
        code = self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)
        with self.api.changed:
            self._exit_code = code
            self.api.changed.notify_all()

    def _peak_memory(self) -> int:
        """Most memory the process has held, in MB; as last seen, when it has gone."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
        except OSError:
            command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
            peak = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "0"
        self._peak = max(self._peak, -(-int(peak) // 1024))
        return self._peak

    # The phases

    def _initialise(self) -> tuple[float | None, Result | None]:
        """Wait for the init phase: its milliseconds, where it belongs to this invocation, and why it failed."""
        if not self._fresh:
            return None, None
        self._fresh = False
        self._wait(lambda: self.api.polled.is_set() or self.api.init_error is not None, INIT_SECONDS)
        milliseconds = (time.monotonic() - self._spawned_at) * 1000
        self._peak_memory()
        if self.api.polled.is_set():
            return milliseconds, None
        failure = self.api.init_error
        if failure is None and self._exit_code is None:
            failure = _error("Sandbox.Timedout", f"Error: Init timed out after {INIT_SECONDS:.2f} seconds")
        elif failure is None:
            failure = _error("Runtime.ExitError", f"Error: {self._exit_reason()}")
        self._drain()
        self._write([init_failure_line(milliseconds, failure.error_type, as_json=self.launch.json_logs)])
        return milliseconds, failure

    def _run(self, event: Event, began: float) -> tuple[Result, str, float]:
        self.api.send(event)
        self._wait(lambda: self.api.result is not None, self.launch.timeout)
        milliseconds = (time.monotonic() - began) * 1000
        if self.api.result is not None:
            return self._limited(self.api.result), "success", milliseconds
        if self._exit_code is not None:
            message = f"RequestId: {event.request_id} Error: {self._exit_reason()}"
            return _error("Runtime.ExitError", message), "error", milliseconds
        self._drain()
        text = f"Task timed out after {self.launch.timeout:.2f} seconds"
        moment = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not self.launch.json_logs:
            self._write([f"{moment} {event.request_id} {text}"])
        error = _error("Sandbox.Timedout", f"RequestId: {event.request_id} Error: {text}")
        return error, "timeout", self.launch.timeout * 1000

    def _limited(self, result: Result) -> Result:
        if len(result.payload) > MAX_RESPONSE and not result.streamed:
            text = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            return _error("Function.ResponseSizeTooLarge", text)
        return replace(result, payload=self._as_in_lambda(result.payload)) if result.error_type else result

    def _wait(self, happened: Callable[[], bool], seconds: float) -> None:
        with self.api.changed:
            self.api.changed.wait_for(lambda: happened() or self._exit_code is not None, seconds)

    def _exit_reason(self) -> str:
        code = self._exit_code
        if code == 0:
            return "Runtime exited without providing a reason"
        if code is not None and code < 0:
            return f"Runtime exited with error: signal: {signal.strsignal(-code) or -code}".lower().replace("r", "R", 1)
        return f"Runtime exited with error: exit status {code}"

    # The log

    def _write(self, lines: Sequence[str]) -> None:
        self._lines += lines
        self.launch.write(lines)

    def _follow_output(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                selector.select()
                if not self._read():
                    return

    def _read(self) -> bool:
        """Write out the lines that are there; False at the end of the output."""
        with self._reading:
            if self._output_ended:
                return False
            is_open = True
            try:
                while chunk := os.read(self._output, 65536):
                    self._rest += chunk
                is_open = False
            except BlockingIOError:
                pass
            *lines, self._rest = self._rest.split(b"\n")
            if not is_open:
                self._close_output()
                lines, self._rest = [*lines, *filter(None, [self._rest])], b""
            if lines:
                # A carriage return ends no event: runtimes join the lines of one by it, and it stays in the message.
                self._write([self._as_in_lambda(line).decode(errors="replace") for line in lines])
            return is_open

    def _close_output(self) -> None:
        assert self._process.stdout is not None
        self._output_ended = True
        self._process.stdout.close()

    def _drain(self) -> None:
        """All that was written before now is in the log; a line without an end ends here."""
        self._read()
        with self._reading:
            if self._rest:
                rest, self._rest = self._rest, b""
                self._write([self._as_in_lambda(rest).decode(errors="replace")])

    def _as_in_lambda(self, text: bytes) -> bytes:
        """Paths in tracebacks as the handler's own root has them: /var/task/app.py."""
        return text.replace(bytes(self.launch.root), b"")


def _error(kind: str, message: str) -> Result:
    return Result(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)
