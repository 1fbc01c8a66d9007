"""`manage.py worker QUEUE`: the Celery worker of one queue, with the threads that the environment gives it."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from functions_app.domain.runs import Queue


class Command(BaseCommand):
    """Become the worker: no process stands between it and whoever watches it."""

    help = "Run the worker of a queue: " + ", ".join(Queue)

    def add_arguments(self, parser: CommandParser) -> None:
        """The queue."""
        parser.add_argument("queue", choices=list(Queue), type=Queue)

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process by Celery's."""
        queue: Queue = options["queue"]
        threads = settings.ENV.worker_threads[queue.value]
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "dashboard", "worker", "--queues", queue.value]
        command += ["--pool", "threads", "--concurrency", str(threads), "--hostname", f"{queue.value}@%h"]
        command += ["--without-gossip", "--without-mingle", "--loglevel", "warning"]
        self.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606 - ourselves, as another program
