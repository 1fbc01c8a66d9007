"""A throwaway PostgreSQL cluster for one run of tests or benchmarks."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import packages
from tests.free_ports import free_port


def _as_postgres() -> tuple[list[str], int | None]:
    """PostgreSQL refuses to run as root: Debian's package brings a user for it."""
    if os.getuid() != 0:
        return [], None
    return ["runuser", "-u", "postgres", "--"], pwd.getpwnam("postgres").pw_uid


@contextmanager
def cluster() -> Iterator[str | None]:
    """Yield the URL of a fresh database on loopback, or None (said aloud) where PostgreSQL is not installed."""
    server = packages.find("postgres")
    if server is None:
        print(packages.how_to_get("postgres"), flush=True)
        if os.environ.get("CI", "").lower() == "true":
            raise SystemExit(1)
        yield None
        return
    binaries, (prefix, owner) = Path(server).parent, _as_postgres()
    folder = Path(tempfile.mkdtemp(prefix="drydock-postgres-"))
    if owner is not None:
        os.chown(folder, owner, -1)
    port, control = free_port(), [*prefix, str(binaries / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s"]
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off"
    try:
        subprocess.run(
            [
                *prefix,
                str(binaries / "initdb"),
                "-D",
                str(folder / "data"),
                "-U",
                "drydock",
                "-A",
                "trust",
                "-E",
                "UTF8",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, cwd=folder)
        try:
            yield f"postgres://drydock@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
