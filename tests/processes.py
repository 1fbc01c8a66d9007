"""Real processes of the product for tests: workers, beat, web server."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from functions_app.domain.runs import Queue
from tests.free_ports import free_port

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 40.0
SAID = 6_000  # characters of what a process said that are shown where a test fails


class Process:
    """A process of the product, and what it says."""

    def __init__(
        self, arguments: list[str], environment: Mapping[str, str], output: Path, files: int | None = None
    ) -> None:
        self.output = output
        self._file: IO[bytes] = output.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={
                **environment,
                "DJANGO_SETTINGS_MODULE": environment.get("PROCESS_SETTINGS", "tests.worker_settings"),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=self._file,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files)) if files else None,
        )

    def says(self, text: str) -> bool:
        """Whether it said this."""
        assert self.process.poll() is None, f"it ended:\n{self.text()}"
        return text in self.text()

    def text(self) -> str:
        """All it said."""
        return self.output.read_text(errors="replace")

    def freeze(self) -> None:
        """SIGSTOP: once this returns, none of its threads does anything at all until `thaw`."""
        self.process.send_signal(signal.SIGSTOP)
        # A thread inside the kernel, or one that waits for a processor, stops a moment later: it could take a lock yet.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End it after the block; where that failed, print the end of what it said."""
        try:
            yield
        except BaseException:
            print(f"--- {self.output.name} ---\n{self.text()[-SAID:]}")
            raise
        finally:
            self.stop()

    def stop(self) -> None:
        """End it kindly, then not."""
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        self._file.close()


def eventually(true: Callable[[], bool], what: str, within: float = READY_WITHIN) -> None:
    """Wait until it is true; fail with `what` was awaited."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(0.05)


def worker_command(name: str, queues: Sequence[Queue] = tuple(Queue), threads: int = 8) -> list[str]:
    """The arguments of a Celery worker, as the Procfile has them."""
    command = ["celery", "-A", "dashboard", "worker", "--queues", ",".join(queues), "--pool", "threads"]
    command += ["--concurrency", str(threads), "--hostname", f"{name}@%h", "--without-gossip", "--without-mingle"]
    return [*command, "--loglevel", "info"]


def beat_command(folder: Path) -> list[str]:
    """The arguments of beat."""
    command = ["celery", "-A", "dashboard", "beat", "--schedule", str(folder / "schedule"), "--pidfile="]
    return [*command, "--loglevel", "info"]


def web_command(port: int) -> list[str]:
    """The arguments of uvicorn."""
    command = ["uvicorn", "dashboard.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    return [
        *command,
        "--http",
        "dashboard.connections:Connection",
        "--timeout-graceful-shutdown",
        "3",
        "--no-access-log",
    ]


@contextmanager
def worker(
    environment: Mapping[str, str], folder: Path, name: str, queues: Sequence[Queue] = tuple(Queue), threads: int = 8
) -> Iterator[Process]:
    """A Celery worker as the Procfile starts it, ready."""
    process = Process(worker_command(name, queues, threads), environment, folder / f"{name}.log")
    with process.ending():
        eventually(lambda: process.says("ready."), f"worker {name} ready")
        yield process


@contextmanager
def beat(environment: Mapping[str, str], folder: Path) -> Iterator[Process]:
    """Celery's beat: it ticks once a second."""
    process = Process(beat_command(folder), environment, folder / "beat.log")
    with process.ending():
        eventually(lambda: process.says("beat: Starting"), "beat started")
        yield process


@contextmanager
def web(environment: Mapping[str, str], folder: Path, files: int | None = None) -> Iterator[tuple[Process, int]]:
    """uvicorn as the Procfile starts it, and its port; with a limit of open `files` where one is given."""
    port = free_port()
    process = Process(web_command(port), {**os.environ, **environment}, folder / "web.log", files)
    with process.ending():
        eventually(lambda: process.says("Uvicorn running"), "the web server listens")
        yield process, port
