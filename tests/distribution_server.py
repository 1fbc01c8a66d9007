"""Debian's docker-registry (distribution's reference implementation), run by tests as a registry that is not ours."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import packages

USER, PASSWORD = "dockhand", "harbour"
# The line for that user; bcrypt at its lowest cost, for tests alone.
HTPASSWD = "dockhand:$2y$04$sPi1RZUloTcFwQW7AF7J5u3C6HZNmwWqC/CXmNjC/DHI8s2kcAp2a\n"
CONFIG = """\
version: 0.1
log: {{accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:0"}}
"""
AUTH = "auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}\n"


@contextmanager
def serving(folder: Path, *, login: bool = True) -> Iterator[str]:
    """The URL of a running docker-registry that wants USER's login, or none; it keeps everything in the folder."""
    program = packages.require("docker-registry")
    (folder / "config.yml").write_text((CONFIG + AUTH * login).format(folder=folder), encoding="utf-8")
    (folder / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=file, stderr=file)
    try:
        yield f"http://{_listening(log, process)}"
    finally:
        process.terminate()
        process.wait(10)


def _listening(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        _, found, rest = log.read_text(encoding="utf-8").partition('msg="listening on ')
        if found and '"' in rest:
            return rest.partition('"')[0]
        time.sleep(0.02)
    raise AssertionError(f"docker-registry did not start: {log.read_text(encoding='utf-8')}")
