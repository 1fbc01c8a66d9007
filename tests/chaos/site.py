"""An installation whose processes can be killed, frozen and starved; whatever dies is started again."""

import itertools
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port
from tests.processes import Process, beat_command, eventually, web_command, worker_command

PROCESSES = ("worker one", "worker two", "beat", "web")
READY = {"worker one": "ready.", "worker two": "ready.", "beat": "beat: Starting", "web": "Uvicorn running"}
LOOK_EVERY = 0.2  # seconds between two looks at who has died
KEPT = 4_000  # characters of what the processes said, for a report


class Site:
    """The processes by name. `skewed` settings give a process a clock of its own."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.restarts = 0
        self._environment = {**os.environ, **environment}
        self._settings: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._lock, self._end = threading.Lock(), threading.Event()
        self.processes = {name: self._begin(name) for name in PROCESSES}
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    @property
    def url(self) -> str:
        """Of the web server."""
        return f"http://127.0.0.1:{self.port}"

    def _begin(self, name: str) -> Process:
        command = {"beat": beat_command(self.folder), "web": web_command(self.port)}.get(name)
        environment = {
            **self._environment,
            **({"PROCESS_SETTINGS": kept} if (kept := self._settings.get(name)) else {}),
        }
        output = self.folder / f"{name.replace(' ', '-')}-{next(self._numbers)}.log"
        return Process(command or worker_command(name.replace(" ", "-")), environment, output)

    def _keep(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            with self._lock:
                for name, process in self.processes.items():
                    if process.process.poll() is not None and not self._end.is_set():
                        process.stop()
                        self.processes[name] = self._begin(name)
                        self.restarts += 1

    def kill(self, name: str) -> None:
        """kill -9; the keeper starts another."""
        with self._lock:
            if self.processes[name].process.poll() is None:
                self.processes[name].kill()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP for a block, unless it dies meanwhile."""
        process = self.processes[name]
        process.freeze()
        try:
            yield
        finally:
            process.thaw()

    @contextmanager
    def with_settings(self, name: str, settings: str) -> Iterator[None]:
        """A process that was started anew with other settings, for a block."""
        self._settings[name] = settings
        self.kill(name)
        try:
            self.await_ready()
            yield
        finally:
            del self._settings[name]
            self.kill(name)

    def await_ready(self) -> None:
        """Wait until all have said that they work."""
        for name in PROCESSES:
            eventually(lambda name=name: READY[name] in self.processes[name].text(), f"{name} is ready", 120)  # type: ignore[misc]

    @contextmanager
    def running(self) -> Iterator["Site"]:
        """All of it, for a block."""
        self._keeper.start()
        try:
            self.await_ready()
            yield self
        finally:
            self._end.set()
            self._keeper.join()
            for process in self.processes.values():
                process.stop()

    def said(self) -> str:
        """The end of what each process has said since it was started last."""
        return "\n".join(f"--- {name} ---\n{process.text()[-KEPT:]}" for name, process in self.processes.items())
