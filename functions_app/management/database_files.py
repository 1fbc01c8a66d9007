"""Copies of the embedded database, made and brought back while others may read and write it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from dashboard.env import sqlite_file


def database_file(postgres_tool: str) -> Path:
    """The embedded database's file; CommandError, with PostgreSQL's own tool for it, where a server is used."""
    file = sqlite_file(settings.ENV.database_url)
    if file is None:
        raise CommandError(f"The database is PostgreSQL's: use its own tools, as in `{postgres_tool}`.")
    return file


def copy(source: Path, target: Path) -> None:
    """Make the target what the source is at one moment, its write-ahead log included. Raises CommandError."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise CommandError(f"{source} can't be copied to {target}: {error}. Look at both and their disks.") from error


def is_drydocks(file: Path) -> bool:
    """Whether it is a whole database of Drydock's, of whatever version."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            whole = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            ours = database.execute("SELECT 1 FROM django_migrations WHERE app = 'functions_app'").fetchone()
    except sqlite3.Error:
        return False
    return whole and ours is not None
