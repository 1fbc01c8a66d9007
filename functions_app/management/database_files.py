"""Copies of the embedded database, made and brought back while others may read and write it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader

from dashboard.env import sqlite_file

APP = "functions_app"
ENDINGS = ("", "-wal", "-shm", "-journal")  # of the files of one database
_NOT_BROUGHT_BACK = {  # by the column that it needs, for tables are as old as the backup
    ("functions_app_browsersession", "session_key"): "DELETE FROM functions_app_browsersession",
    ("django_session", "session_key"): "DELETE FROM django_session",
    ("functions_app_plan", "body"): "UPDATE functions_app_plan SET body = json_remove(body, '$.payload')",
}


def database_file(postgres_tool: str) -> Path:
    """The embedded database's file; CommandError, with PostgreSQL's own tool for it, where a server is used."""
    file = sqlite_file(settings.ENV.database_url)
    if file is None:
        raise CommandError(f"The database is PostgreSQL's: use its own tools, as in `{postgres_tool}`.")
    return file


def copy(source: Path, target: Path) -> None:
    """Make the target what the source is at one moment, its write-ahead log included. Raises CommandError.

    What can't be copied whole leaves the target as it was.
    """
    new_file = not target.exists()
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        if new_file:
            remove(target)
        raise CommandError(f"{source} can't be copied to {target}: {error}. Look at both and their disks.") from error


def end_what_went_on(file: Path) -> None:
    """Take out of a copy what was ended or used up since: sessions, and payloads that may have been sent meanwhile.

    Raises CommandError.
    """
    try:
        with closing(sqlite3.connect(file)) as database, database:
            for (table, column), statement in _NOT_BROUGHT_BACK.items():
                if database.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column)).fetchone():
                    database.execute(statement)
    except sqlite3.Error as error:
        raise CommandError(f"{file} can't be written: {error}. Look at its disk.") from error


def remove(file: Path) -> None:
    """A database file, with what SQLite keeps beside it."""
    for ending in ENDINGS:
        file.with_name(file.name + ending).unlink(missing_ok=True)


def unknown_migration(file: Path) -> str:
    """The last migration in it that this version does not have: a newer one's; '' where there is none."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
        applied = {name for (name,) in database.execute("SELECT name FROM django_migrations WHERE app = ?", (APP,))}
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return max(applied - {name for app, name in loader.disk_migrations if app == APP}, default="")


def is_drydocks(file: Path) -> bool:
    """Whether it is a whole database of Drydock's, of whatever version."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            whole = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            ours = database.execute("SELECT 1 FROM django_migrations WHERE app = ?", (APP,)).fetchone()
    except sqlite3.Error:
        return False
    return whole and ours is not None
