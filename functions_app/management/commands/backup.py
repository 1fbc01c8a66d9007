"""`manage.py backup FILE`: a copy of the embedded database, while everything runs."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from functions_app.management.database_files import copy, database_file, is_drydocks


class Command(BaseCommand):
    """Nobody waits for it, and it holds what was stored when it began."""

    help = "Copy the embedded database to a new file, while everything runs. manage.py restore brings it back."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to write."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """A file that is there is left alone; half a copy never has its name."""
        source, file = database_file("pg_dump --format=custom --file=FILE DATABASE"), options["file"]
        if file.exists():
            raise CommandError(f"{file} is there already. Name another file.")
        if not file.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {file.absolute().parent}.")
        # In a folder of its own, where nobody else can put a file or a link first.
        with TemporaryDirectory(prefix=f".{file.name}.", dir=file.absolute().parent) as folder:
            aside = Path(folder, file.name)
            copy(source, aside)
            if not is_drydocks(aside):
                raise CommandError("The copy is not whole, and was not kept. Look at the disk, then try again.")
            aside.rename(file)
        self.stdout.write(
            f"{file}: {file.stat().st_size / 1e6:.1f} MB. It holds sessions: keep it where nobody reads it."
        )
