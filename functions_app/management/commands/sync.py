"""`manage.py sync`: read all accounts now, in the foreground, with the log on the console."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from functions_app.domain.errors import DrydockError
from functions_app.services import sync


class Command(BaseCommand):
    """Sync without a worker: for a first look, for cron, for finding out what is wrong."""

    help = "Read repositories, images, functions, versions and aliases of all accounts into the snapshot."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where an account or region could not be read."""
        try:
            scopes = sync.wanted_scopes()
        except DrydockError as error:
            raise CommandError(f"{error} {error.problem.next_step}") from error
        result = sync.run_once(scopes, self)
        if result.failed:
            raise CommandError(f"{result.failed} of {result.scopes} accounts and regions could not be read completely.")

    def info(self, text: str) -> None:
        """A line of the log."""
        self.stdout.write(text)

    def warning(self, text: str) -> None:
        """A line of the log that says what went wrong."""
        self.stderr.write(self.style.WARNING(text))
