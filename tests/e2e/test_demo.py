"""`make demo` as a newcomer meets it: taken ports, and Ctrl-C."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, demo_environment, wait_until_ready
from tests.free_ports import free_port
from tests.processes import eventually


def refused(environment: dict[str, str], *arguments: str) -> str:
    """Start a demo that must refuse; what it says."""
    command = [sys.executable, "manage.py", "demo", *arguments]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    return answer.stderr


@pytest.mark.parametrize("setting", ["DRYDOCK_PORT", "DRYDOCK_SANDBOX_PORT"])
def test_a_taken_port_is_refused_with_the_setting_that_moves_it(setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = demo_environment(free_port(), free_port(), tmp_path) | {setting: str(port)}
        answer = refused(environment)
    assert f"Port {port} is taken. Choose another: {setting}={port + 1} make demo" in answer
    assert "Traceback" not in answer


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("years of work")
    assert "DRYDOCK_DEMO_DIR" in refused(demo_environment(free_port(), free_port(), tmp_path))
    assert kept.read_text() == "years of work"


@pytest.mark.parametrize("day", ["tomorrow", "2027-02-29", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_refused_in_one_line(day: str, tmp_path: Path) -> None:
    answer = refused(demo_environment(free_port(), free_port(), tmp_path / "data"), "--today", day)
    assert answer == f"CommandError: --today takes a day of 2000 to 2199 such as 2028-02-29, not '{day}'.\n"
    assert not (tmp_path / "data").exists()


LINUX = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc (Linux)")


@contextmanager
def started(tmp_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A demo in the folder "data", ready, with what it says in the file "output"."""
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=demo_environment(free_port(), free_port(), tmp_path / "data"),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_ready(process, tmp_path / "output")
            assert len(_processes_of(tmp_path / "data")) >= 8
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@LINUX
def test_a_second_one_in_the_same_folder_is_refused_and_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        runs = _runs(tmp_path / "data")
        answer = refused(demo_environment(free_port(), free_port(), tmp_path / "data"))
        assert f"Another Drydock (process {process.pid}) works in {tmp_path / 'data'}" in answer
        assert _runs(tmp_path / "data") >= runs > 0  # it was not wiped
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everything in the foreground
        assert process.wait(timeout=60) == 0
    assert _processes_of(tmp_path / "data") == []
    assert "Traceback" not in (tmp_path / "output").read_text()


@LINUX
def test_kill_9_leaves_no_orphan(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        process.kill()
        process.wait()
        eventually(lambda: _processes_of(tmp_path / "data") == [], "every process is gone")


def _runs(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "drydock.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM functions_app_run").fetchone()[0])


def _processes_of(folder: Path) -> list[int]:
    """Processes that were started with this data directory."""
    mark = f"DRYDOCK_DATA_DIR={folder}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return found
