"""Debian's docker-registry (distribution's reference implementation), run by tests as a registry that is not ours."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from tests import packages, token_server

USER, PASSWORD = "dockhand", "harbour"
# The line for that user; bcrypt at its lowest cost, for tests alone.
HTPASSWD = "dockhand:$2y$04$sPi1RZUloTcFwQW7AF7J5u3C6HZNmwWqC/CXmNjC/DHI8s2kcAp2a\n"
CONFIG = """\
version: 0.1
log: {{accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:0"}}
"""
BASIC = "auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}\n"
TOKEN = """\
auth: {{token: {{realm: "{realm}", service: tests, issuer: tests, rootcertbundle: {folder}/tokens.pem}}}}
"""

Asks = Literal["basic", "token", "nobody"]


@contextmanager
def serving(folder: Path, asks: Asks = "basic") -> Iterator[str]:
    """The URL of a running docker-registry; it keeps everything in the folder.

    It wants USER's login (`basic`), a bearer token that only USER is given (`token`), or nothing (`nobody`).
    """
    program = packages.require("docker-registry")
    with ExitStack() as stack:
        config = CONFIG
        realm = ""
        if asks == "basic":
            config += BASIC
            (folder / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
        elif asks == "token":
            config += TOKEN
            realm = stack.enter_context(token_server.serving(folder / "tokens.pem", USER, PASSWORD))
        (folder / "config.yml").write_text(config.format(folder=folder, realm=realm), encoding="utf-8")
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
