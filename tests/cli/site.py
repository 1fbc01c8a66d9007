"""Drydock as it runs: its web server for a whole file of tests, and a worker within the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from functions_app.domain.runs import ACTIVE
from functions_app.models import Run
from tests.services.changes.stage import carry_out


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
