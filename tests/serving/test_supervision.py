"""What is served stays alive without end, and ends with whoever serves it, however that ends."""

import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from supervisor.states import ProcessStates

from dashboard.serving.output import Output
from dashboard.serving.programs import Program, of_procfile
from dashboard.serving.supervision import LONGEST_PAUSE, Supervision
from tests.processes import ROOT, Process, eventually

# Each start adds the number of its process to a file of its name.
STEADY = "sh -c 'echo $$ >> $FOLDER/steady; exec sleep 600'"
BROKEN = "sh -c 'echo $$ >> $FOLDER/broken; exit 3'"
STUBBORN = """sh -c 'trap "" TERM; echo $$ >> $FOLDER/stubborn; while :; do sleep 1; done'"""
BENEATH = "sh -c 'echo $$ >> $FOLDER/beneath; exec sleep 600'"
Serve = Callable[..., Process]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server of these programs; what is left of it at the end is ended."""
    started = []

    def start(**programs: str) -> Process:
        lines = [f"{name}={line}" for name, line in programs.items()]
        started.append(Process(["tests.serving.little", str(tmp_path), *lines], os.environ, tmp_path / "output"))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGINT)
            process.process.send_signal(signal.SIGINT)
        process.stop()


@pytest.fixture
def started(tmp_path: Path) -> Callable[[str], list[int]]:
    """The processes that a program was, the last one last."""

    def read(name: str) -> list[int]:
        path = tmp_path / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    return read


def alive(pid: int) -> bool:
    """Whether the process is there, and no zombie that nobody has reaped yet."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_is_killed_is_started_again_and_named(serve: Serve, started: Callable[[str], list[int]]) -> None:
    server = serve(steady=STEADY)
    eventually(lambda: bool(started("steady")), "it runs")
    os.kill(started("steady")[0], signal.SIGKILL)
    eventually(lambda: len(started("steady")) == 2, "it runs again")
    eventually(lambda: server.says("steady runs again after"), "that is told")
    assert "steady ended (terminated by SIGKILL): starting it again." in server.text()


def test_what_does_not_start_is_tried_on_and_told_of_once(serve: Serve, started: Callable[[str], list[int]]) -> None:
    server = serve(broken=BROKEN)
    eventually(lambda: len(started("broken")) > 3, "it was tried more than three times")
    assert server.text().count("broken") == 1
    assert "broken ended (exit status 3): starting it again." in server.text()


def test_the_pause_between_two_tries_has_an_end_and_tries_have_none() -> None:
    supervision = Supervision([Program("broken", BROKEN)], lambda: False, Output(8))
    process = SimpleNamespace(backoff=86_400, state=ProcessStates.BACKOFF)
    supervision.process_groups = {"others": SimpleNamespace(processes={"broken": process})}
    supervision.tick()
    assert process.backoff <= LONGEST_PAUSE
    [group] = supervision.options.process_group_configs
    assert group.process_configs[0].startretries >= 1_000_000_000


def test_what_stands_on_others_starts_after_them(
    serve: Serve, started: Callable[[str], list[int]], tmp_path: Path
) -> None:
    serve(steady=STEADY, beneath=BENEATH)
    eventually(lambda: bool(started("beneath")), "what is beneath runs")
    assert started("steady") == []
    (tmp_path / "ready").touch()
    eventually(lambda: bool(started("steady")), "the other runs")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_everything(serve: Serve, started: Callable[[str], list[int]], number: signal.Signals) -> None:
    server = serve(steady=STEADY)
    eventually(lambda: bool(started("steady")), "it runs")
    server.process.send_signal(number)
    assert server.process.wait(30) == 0
    assert not alive(started("steady")[0])
    assert "all ended" in server.text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_kill_9_leaves_no_orphan(serve: Serve, started: Callable[[str], list[int]]) -> None:
    server = serve(steady=STEADY)
    eventually(lambda: bool(started("steady")), "it runs")
    server.kill()
    eventually(lambda: not alive(started("steady")[0]), "it is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("between", ["", "trap '' HUP; "], ids=["alone", "behind one that keeps it to itself"])
def test_a_closed_terminal_ends_everything(started: Callable[[str], list[int]], tmp_path: Path, between: str) -> None:
    """The system tells whoever leads the session: a shell, which passes it on, or make, which does not."""
    terminal, its_end = pty.openpty()
    command = shlex.join([sys.executable, "-m", "tests.serving.little", str(tmp_path), f"steady={STEADY}"])
    leader = f"{between}{command}; true" if between else f"exec {command}"
    code = "import os, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    code += f"os.execv('/bin/sh', ['sh', '-c', {leader!r}])"
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=its_end, stdout=its_end, stderr=its_end, start_new_session=True
    )
    os.close(its_end)
    eventually(lambda: bool(started("steady")), "it runs")
    os.close(terminal)
    server.wait(30)
    assert not alive(started("steady")[0])


def test_a_second_ctrl_c_ends_what_does_not_want_to(serve: Serve, started: Callable[[str], list[int]]) -> None:
    server = serve(stubborn=STUBBORN)
    eventually(lambda: bool(started("stubborn")), "it runs")
    server.process.send_signal(signal.SIGINT)
    eventually(lambda: server.says("Waiting for work under way: stubborn (up to 600 s). Ctrl-C once more"), "told")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0


def test_each_line_names_who_says_it(serve: Serve) -> None:
    server = serve(talker='sh -c \'printf "one\\ntwo"; sleep 1; printf " halves\\n" >&2; exec sleep 600\'')
    eventually(lambda: server.says("talker   | two halves\n"), "its lines")
    assert "talker   | one\n" in server.text()


def test_what_a_terminal_can_not_show_is_written_out(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was an error, supervisor read no more of what the process said, which waited for that for ever."""
    monkeypatch.setenv("PYTHONIOENCODING", "iso-8859-1")
    server = serve(talker="sh -c 'echo “one”; exec sleep 600'")
    eventually(lambda: server.says("talker   | \\u201cone\\u201d\n"), "its line")


def test_the_procfile_names_every_process_and_gives_invocations_their_time() -> None:
    programs = {each.name: each for each in of_procfile()}
    assert set(programs) >= {"web", "changes", "reading", "invocations", "tick", "beat"}
    assert programs["invocations"].patience > 15 * 60
