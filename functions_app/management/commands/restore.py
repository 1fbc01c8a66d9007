"""`manage.py restore FILE`: bring back what `manage.py backup` made, while nothing runs."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.serving import holding
from functions_app import clock
from functions_app.management.database_files import (
    ENDINGS,
    copy,
    database_file,
    end_what_went_on,
    is_drydocks,
    remove,
    unknown_migration,
)


class Command(BaseCommand):
    """What is there is kept beside it; the next start brings an older backup up to date."""

    help = "Make the embedded database what it was when manage.py backup copied it. Stop Drydock first."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to read."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Refused while a Drydock works in the data directory."""
        database, file = database_file("pg_restore --clean --dbname=DATABASE FILE"), options["file"]
        if not is_drydocks(file):
            raise CommandError(f"{file} is no backup of Drydock's.")
        if newer := unknown_migration(file):
            raise CommandError(f"{file} is of a newer Drydock (it has {newer}). Restore it with that version.")
        try:
            with holding.held(settings.ENV.data_dir):
                ready = database.with_name(f"{database.name}.restored")
                try:
                    remove(ready)
                    copy(file, ready)
                    end_what_went_on(ready)
                    if self._keep(database):
                        copy(ready, database)
                    else:
                        ready.rename(database)  # which needs no room: nothing would be left on a disk that is full
                finally:
                    remove(ready)
        except holding.HeldError as error:
            raise CommandError(f"{error} End it first.") from error
        self.stdout.write("Restored; everybody signs in anew. `make serve` brings it up to date and goes on.")

    def _keep(self, database: Path) -> bool:
        """What is there; whether it still is. A damaged one, which can't be copied nor written over, goes aside."""
        kept = database.with_name(f"{database.name}.before-{clock.now():%Y%m%d-%H%M%S}")
        if is_drydocks(database):
            copy(database, kept)
        elif database.exists():
            for ending in ENDINGS:
                with suppress(FileNotFoundError):
                    database.with_name(database.name + ending).rename(kept.with_name(kept.name + ending))
        else:
            return False
        self.stdout.write(f"What was there is kept in {kept} until you delete it.")
        return database.exists()
