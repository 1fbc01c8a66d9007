"""Drydock as it runs: its web server for a whole file of tests, and a worker within the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from functions_app.domain.runs import ACTIVE
from functions_app.models import Run
from tests.conftest import Valkey, environment
from tests.fixtures import Sandbox
from tests.processes import web
from tests.services.changes.stage import carry_out


@contextmanager
def serving(valkey: Valkey, sandbox: Sandbox, folder: Path) -> Iterator[str]:
    """A web server of Drydock's own, whose AWS is the sandbox; its address."""
    mirrors = f"public.ecr.aws={sandbox.url},*.amazonaws.com={sandbox.url}"
    own = {"AWS_ENDPOINT_URL": sandbox.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors}
    own["PROCESS_SETTINGS"] = "tests.survive_settings"  # the product's own kinds of runs
    with web({**environment(valkey), **own}, folder) as (_, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def working() -> Iterator[None]:
    """Every run is carried out, until the block ends."""
    over = threading.Event()

    def work() -> None:
        try:
            while not over.wait(0.05):
                for run in Run.objects.filter(status__in=ACTIVE).order_by("pk"):
                    carry_out(run)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
