"""The wheel of the command line, in an environment of its own with httpx alone."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from drydock_cli import VERSION
from tests.processes import ROOT

pytestmark = pytest.mark.timeout(300)  # pip fetches setuptools and httpx


def test_the_wheel_runs_with_httpx_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(own / "bin" / "python")]
    subprocess.run(["make", "-s", "cli", f"DIST={tmp_path}"], cwd=ROOT, check=True)
    venv.create(own)
    wheel = tmp_path / f"drydock_cli-{VERSION}-py3-none-any.whl"
    subprocess.run([*pip, "install", "-q", str(wheel)], check=True)

    def said(word: str) -> str:
        return subprocess.check_output([own / "bin" / "drydock", word], cwd=own, env={"HOME": str(tmp_path)}, text=True)

    assert said("--version") == f"drydock {VERSION}\n"
    assert "deploy an image" in said("help")
    listed = subprocess.check_output([*pip, "list", "--format", "freeze"], text=True)
    names = {line.partition("==")[0] for line in listed.split()}
    assert {"drydock-cli", "httpx"} <= names <= {"drydock-cli", "httpx", *OF_HTTPX}


OF_HTTPX = {"anyio", "certifi", "h11", "httpcore", "idna", "typing_extensions"}
