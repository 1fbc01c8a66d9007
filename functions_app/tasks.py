"""Celery's doors: they wake the services and hold no logic. A message is only a hint; the database is the truth."""

import os
import socket
import threading
import uuid

from celery import shared_task

from functions_app.services import runs


@shared_task(name="functions_app.tasks.execute_run")
def execute_run(run_id: int) -> bool:
    """Do what is due of a run; a message that comes twice finds nothing to do."""
    owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{threading.get_ident() % 100_000}:{uuid.uuid4().hex[:12]}"
    return runs.execute(run_id, owner)


@shared_task(name="functions_app.tasks.tick")
def tick() -> int:
    """Hand out every run that is due."""
    return runs.hand_out_due()
