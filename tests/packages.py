"""System programs that some tests need, and what to say where they are missing."""

import os
import shutil
from pathlib import Path

import pytest

DEBIAN_PACKAGE = {
    "buildah": "buildah",
    "chromium": "chromium",
    "docker-compose": "docker-compose",
    "docker-registry": "docker-registry",
    "postgres": "postgresql",
    "readelf": "binutils",
    "shellcheck": "shellcheck",
    "skopeo": "skopeo",
    "umoci": "umoci",
    "zsh": "zsh",
}
HOMEBREW = {
    "docker-compose": "docker-compose",
    "postgres": "postgresql",
    "skopeo": "skopeo",
    "shellcheck": "shellcheck",
    "zsh": "zsh",
    "chromium": "--cask chromium",
}


def find(program: str) -> str | None:
    """The program's path, on the PATH or where Debian puts PostgreSQL's servers."""
    if found := shutil.which(program):
        return found
    candidates = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    return str(candidates[0]) if candidates else None


def how_to_get(program: str) -> str:
    """One line that tells how to install it."""
    line = f"{program} is not installed. On Debian: apt-get install {DEBIAN_PACKAGE[program]}"
    return f"{line}; on macOS: brew install {HOMEBREW[program]}" if program in HOMEBREW else line


def require(program: str) -> str:
    """The program's path; without it the test is skipped, or fails where CI=true."""
    if found := find(program):
        return found
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(how_to_get(program))
    pytest.skip(how_to_get(program))
