"""`manage.py sync`: read all accounts now, in the foreground, with the log on the console."""

import os
import threading
import uuid
from getpass import getuser
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from functions_app import runlog
from functions_app.domain.runs import Status
from functions_app.management import command
from functions_app.models import Run
from functions_app.services.engine import runs
from functions_app.services.people.actor import SHELL, Actor, named
from functions_app.services.sync import run as sync

LOOK_EVERY = 0.2  # seconds between two looks at the run's log


class Command(command.Command):
    """Sync with or without a worker: for a first look, for cron, for finding out what is wrong."""

    help = "Read repositories, images, functions, versions and aliases of all accounts into the snapshot."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where an account or region could not be read. A sync under way is followed, not doubled."""
        run, own = sync.submit_or_join(Actor(None, SHELL, named=getuser()))
        if not own:
            who = named(run.actor_name, run.via)
            self.stderr.write(f"Run {run.pk} ({run.title}, started by {who}) is under way: following it.")
        self._follow(run)
        run.refresh_from_db()
        read = run.result.get("scopes", {})
        if read.get("failed"):
            failed, tried = read["failed"], read["read"] + read["failed"]
            raise CommandError(f"{failed} of {tried} accounts and regions could not be read completely.")
        if run.status != Status.SUCCEEDED:
            raise CommandError(f"Run {run.pk} {run.status}: {(run.problem or {}).get('message', '')}")

    def _follow(self, run: Run) -> None:
        """Do the run here, unless a worker has it, and print its log until it has ended."""
        ended, shown = threading.Event(), 0
        worker = threading.Thread(target=_work, args=(run.pk, ended), daemon=True)
        worker.start()
        while True:
            over = ended.wait(LOOK_EVERY)
            for line in runlog.read(run.pk, after=shown):
                shown = line.sequence
                self._print(line.level, line.text)
            if over:
                break
        worker.join()
        for line in runlog.read(run.pk, after=shown):
            self._print(line.level, line.text)

    def _print(self, level: str, text: str) -> None:
        if level in ("warning", "error"):
            self.stderr.write(self.style.WARNING(text))
        else:
            self.stdout.write(text)


def _work(run_id: int, ended: threading.Event) -> None:
    """Carry the run on as often as it can be had (its worker may die), until it has ended."""
    try:
        while not Status(Run.objects.values_list("status", flat=True).get(pk=run_id)).ended:
            owner = f"command:{os.getpid()}:{uuid.uuid4().hex[:12]}"
            if not runs.execute(run_id, owner):
                ended.wait(LOOK_EVERY)
    finally:
        ended.set()
        connections.close_all()
