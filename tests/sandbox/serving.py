"""Sandbox processes of a test's own, for what one shared by all cannot show: fleets, state, refusals."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.fixtures import ENVIRONMENT, FAST_CLOCK, ROOT, Sandbox


@contextmanager
def serving(*arguments: str) -> Iterator[Sandbox]:
    """`python -m sandbox` with these arguments, ended by SIGTERM."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--clock", FAST_CLOCK, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready on "), f"the sandbox did not start: {line!r}"
        url = line.split()[-1]
        try:
            yield Sandbox(url, int(url.rsplit(":", 1)[1]), process.pid)
        finally:
            process.terminate()
            process.wait(20)


def refused(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a sandbox says on stderr that must not start with these arguments."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    finished = subprocess.run(
        command, cwd=ROOT, env={**ENVIRONMENT, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 2, finished.stderr
    return finished.stderr
