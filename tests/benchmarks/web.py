"""One web process as in production, with its Valkey, on the benchmark's data directory."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.management import call_command

from dashboard import broker
from tests.free_ports import free_port


@contextmanager
def serve() -> Iterator[tuple[int, int]]:
    """Yield the process id and port of a fresh web process; Valkey is started where none runs yet."""
    broker.ensure()
    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "dashboard.asgi:application",
        "--http",
        "dashboard.connections:Connection",
        "--host",
        "127.0.0.1",
    ]
    command += ["--port", str(port), "--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"]
    # One person watches with all of a stream benchmark's connections.
    process = subprocess.Popen(command, env={**os.environ, "DRYDOCK_STREAMS_PER_PERSON": "10000"})
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
                break
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(timeout=15)
