"""`make serve`: everything that one machine needs, kept alive, on real AWS credentials. The same command upgrades."""

import os
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from dashboard.serving import address, holding
from dashboard.serving.output import Output, WhileHeard
from dashboard.serving.programs import of_installation
from functions_app.domain.errors import DrydockError
from functions_app.management.serving import MARK, refuse_taken, refusing_plainly, serve
from functions_app.services.people import accounts

NAME, PASSWORD = "DRYDOCK_ADMIN_NAME", "DRYDOCK_ADMIN_PASSWORD"  # of the first administrator
TRIES = 3  # at a password that is good enough
LATE = 60.0  # seconds after which a start that is not done is worth a word


class Command(BaseCommand):
    """Prepare the data directory and the database, then run the Procfile until a signal."""

    help = (
        "Start Drydock on this machine: migrations, static files, the first administrator, then every process, "
        f"restarted when it ends. {NAME} and {PASSWORD} make the first administrator where nobody can be asked."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Until SIGINT, SIGTERM, or the terminal is closed."""
        self.stdout = OutputWrapper(cast(TextIO, WhileHeard()))
        host = os.environ.get("DRYDOCK_HOST") or "127.0.0.1"
        with ExitStack() as until_the_end:
            with refusing_plainly("choose another: DRYDOCK_DATA_DIR=... make serve"):
                port = address.port(os.environ, "DRYDOCK_PORT", 8000)
                until_the_end.enter_context(holding.held(settings.ENV.data_dir))
                _refuse_demo(settings.ENV.data_dir)
                refuse_taken("serve", "DRYDOCK_PORT", host, port)
                self._prepare()
            programs = of_installation(settings.ENV)
            output = Output(max(len(each.name) for each in programs))
            tell = threading.Thread(target=_tell_when_ready, args=(address.url(host, port), output), daemon=True)
            serve(programs, output, tell)

    def _prepare(self) -> None:
        """Tables as this version needs them, static files, and somebody who may sign in."""
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            self.stdout.write(f"Bringing the database up to date: {missing} migrations ...")
            self.stdout.flush()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        password = os.environ.pop(PASSWORD, "")  # no process that is started needs it
        if not _somebody_rules():
            self.make_administrator(os.environ.get(NAME) or "admin", password)

    def make_administrator(self, name: str, password: str) -> None:
        """The first one, by variables or by asking. Who is there already is none: their password stays theirs."""
        asks = not password and sys.stdin is not None and sys.stdin.isatty()  # None where it was closed
        if asks:
            self.stdout.write("There is no administrator yet. Who is to be the first?")
            name = input(f"Name [{name}]: ").strip() or name
        if (asks or password) and User.objects.filter(username=name).exists():
            self.stderr.write(
                f"{name} is known already, and was not made administrator; their password stays as it is. "
                f"manage.py person {name} administrator makes them one, or choose another name ({NAME})."
            )
        elif password:
            call_command("person", name, "administrator", password=password, stdout=self.stdout)
        elif asks:
            self._ask(name)

    def _ask(self, name: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                call_command("person", name, "administrator", stdout=self.stdout)
                return
            except CommandError as error:
                if not left:
                    raise
                self.stderr.write(str(error))


def _refuse_demo(folder: Path) -> None:
    if (folder / MARK).exists():
        raise CommandError(f"{folder} belongs to the demo, which empties it. Set DRYDOCK_DATA_DIR to another.")


def _somebody_rules() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def _tell_when_ready(url: str, output: Output) -> None:
    """Print the address once it answers, and what is missing for it to be of use."""
    begun = time.monotonic()
    while not address.answers(url):
        if time.monotonic() - begun > LATE:
            output.say("Still starting. What the processes say may tell why.")
            begun = time.monotonic()
        time.sleep(0.2)
    output.say(f"Drydock is ready: {', '.join(settings.ENV.trusted_origins) or url}")
    try:
        if not _somebody_rules():
            output.say(
                "There is no administrator yet: manage.py person NAME administrator makes the first one, or start with "
                f"{NAME} and {PASSWORD} set."
            )
        output.say(f"It reads AWS with credentials of account {accounts.whose_credentials()}.")
    except DrydockError as error:
        output.say(f"AWS can't be read yet. {error} {error.problem.next_step} manage.py doctor tells more.")
    finally:
        connections.close_all()
