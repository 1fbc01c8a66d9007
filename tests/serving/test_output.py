"""What is printed where nobody reads it any more, or where its file finds no room."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.free_ports import free_port
from tests.processes import ROOT, eventually
from tests.serving.test_serve import children, environment, healthy_at


def complaints(code: str, file: IO[bytes]) -> str:
    """What a process says on standard error that has an `output`, into a file."""
    begin = "import resource, signal\nfrom dashboard.serving.output import Output\noutput = Output(8)\n"
    command = [sys.executable, "-c", begin + code]
    return subprocess.run(command, cwd=ROOT, text=True, check=False, stdout=file, stderr=subprocess.PIPE).stderr


def test_a_file_whose_disk_was_full_for_a_while_has_what_was_said_later(tmp_path: Path) -> None:
    code = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "output.say('before')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40, unlimited[1]))\n"
        "for number in range(100): output.say(f'lost {number}')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)\n"
        "output.say('there is room again')\n"
    )
    with (tmp_path / "log").open("wb") as file:
        assert complaints(code, file) == ""

    text = (tmp_path / "log").read_text()
    assert "before" in text
    assert "there is room again" in text


@pytest.mark.skipif(sys.platform != "linux", reason="ends what it started by its children")
def test_an_installation_serves_that_was_started_from_anywhere_and_whose_output_nobody_reads(tmp_path: Path) -> None:
    port, database = free_port(), f"{tmp_path.name}.sqlite3"
    reader, writer = os.pipe()
    os.close(reader)
    with (tmp_path / "err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "serve"],
            cwd=tmp_path, env=environment(Path("d"), DRYDOCK_PORT=str(port), DATABASE_URL=f"sqlite:///{database}"),
            stdin=subprocess.DEVNULL, stdout=writer, stderr=errors,
        )  # fmt: skip
    os.close(writer)
    try:
        eventually(lambda: process.poll() is not None or healthy_at(port), "it serves", 110)
        assert process.poll() is None, (tmp_path / "err").read_text()
        assert not (ROOT / database).exists()
    finally:
        (ROOT / database).unlink(missing_ok=True)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert children(process.pid) == []
    assert (tmp_path / "err").read_text() == ""
    assert {"d", database} <= {path.name for path in tmp_path.iterdir()}
