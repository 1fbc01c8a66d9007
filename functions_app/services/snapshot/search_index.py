"""What makes searches quick: triggers that copy each function into FunctionSearch, and an index of its trigrams.

`migrate` sets it up and fills it (apps.py), for each database has its own: SQLite the FTS5 table TRIGRAMS, PostgreSQL
a GIN index of its extension pg_trgm. Without either, searches find the same and read every row of FunctionSearch.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from functions_app.models import Function, FunctionSearch

PREFIX = "function_search_"  # of all triggers; a name ends in what tells one wording of them from another
FUNCTION, SEARCH = Function._meta.db_table, FunctionSearch._meta.db_table
COPIED = tuple(str(field.column) for field in FunctionSearch._meta.concrete_fields if not field.primary_key)
TRIGRAMS = f"{SEARCH}_trigrams"
FACETS = "account_id, region, state, freshness, base_name, overdue_on"
NO_EXTENSION = (
    "PostgreSQL refused the extension pg_trgm: %s. Searches find the same without it, but read every function. To have "
    "it, let an administrator run CREATE EXTENSION pg_trgm in this database, then run migrate again."
)
NO_TRIGRAMS = "SQLite %s has no index of trigrams (it came with 3.34): searches find the same, but read every function."

log = logging.getLogger(__name__)
_looks_up: dict[str, bool] = {}  # by the alias of a connection, as long as the process lives


def ensure(using: str = "default") -> bool:
    """Set up what is missing and fill it; whether anything was. Two short queries where nothing is."""
    connection = connections[using]
    wanted = _triggers(connection.vendor)
    found = _present(connection)
    if found != wanted.keys():
        with transaction.atomic(using=using):
            drop(using)
            _fill(connection)
            _run(connection, *wanted.values())
        _looks_up.pop(using, None)
    if connection.vendor == "postgresql":
        _index_postgresql(connection)
    return found != wanted.keys()


def fits(models: Mapping[str, Any]) -> bool:
    """Whether these models, by their names, have every column that the triggers name: migrations may stop before."""
    tables = [
        {field.column for field in models[name]._meta.concrete_fields} if name in models else set()
        for name in ("function", "functionsearch")
    ]
    return all(table.issuperset(COPIED) for table in tables)


def drop(using: str = "default") -> None:
    """Take away what hangs on tables, as before migrations: they may rename, drop or, in SQLite, make them anew."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        _run(connection, f"DROP TABLE IF EXISTS {TRIGRAMS}")
    of_table = f" ON {FUNCTION}" if connection.vendor == "postgresql" else ""
    _run(connection, *(f"DROP TRIGGER {name}{of_table}" for name in sorted(_present(connection))))


def looks_up_trigrams(connection: Any) -> bool:
    """Whether this database is an SQLite with the table TRIGRAMS. Each process asks once: `migrate` alone makes it."""
    if connection.vendor != "sqlite":
        return False
    if connection.alias not in _looks_up:
        connection.ensure_connection()
        found = connection.connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TRIGRAMS,)).fetchall()
        _looks_up[connection.alias] = bool(found)
    return _looks_up[connection.alias]


def _run(connection: BaseDatabaseWrapper, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _present(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of our triggers that the database has."""
    if connection.vendor == "postgresql":
        question = "SELECT tgname FROM pg_trigger WHERE tgname LIKE %s AND tgrelid = to_regclass(%s)"
        values = [f"{PREFIX}%", FUNCTION]
    else:
        question, values = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{PREFIX}%"]
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return {row[0] for row in cursor.fetchall()}


# The statements. Names of tables and columns come from the models; there are no values.


def _fill(connection: BaseDatabaseWrapper) -> None:
    """Copy every function that is there. Nobody writes meanwhile."""
    columns = ", ".join(COPIED)
    if connection.vendor == "postgresql":
        _run(connection, f"LOCK TABLE {FUNCTION} IN SHARE ROW EXCLUSIVE MODE")
    _run(
        connection,
        f"DELETE FROM {SEARCH}",  # noqa: S608
        f"INSERT INTO {SEARCH} (function_id, {columns}) "  # noqa: S608
        f"SELECT id, {columns} FROM {FUNCTION} WHERE gone_at IS NULL ORDER BY id",
    )
    if connection.vendor == "sqlite":
        # The whole count of a search that finds many is read from it; PostgreSQL limits what an index may hold.
        _run(connection, f"CREATE INDEX IF NOT EXISTS {PREFIX}facets ON {SEARCH} ({FACETS}, search_text)")
        _fill_trigrams(connection)


def _fill_trigrams(connection: BaseDatabaseWrapper) -> None:
    if not _has_tokenizer():
        log.warning(NO_TRIGRAMS, sqlite3.sqlite_version)
        return
    _run(
        connection,
        f"CREATE VIRTUAL TABLE {TRIGRAMS} USING fts5(search_text, content='{SEARCH}', content_rowid='function_id', "
        "tokenize='trigram case_sensitive 1')",  # both texts and words are in lower case
        f"INSERT INTO {TRIGRAMS}({TRIGRAMS}) VALUES ('rebuild')",  # noqa: S608
    )


def _has_tokenizer() -> bool:
    return sqlite3.sqlite_version_info >= (3, 34)


def _index_postgresql(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_indexes WHERE indexname = %s", [TRIGRAMS])
        if cursor.fetchone():
            return
    try:
        with transaction.atomic(using=connection.alias):
            _run(
                connection,
                "CREATE EXTENSION IF NOT EXISTS pg_trgm",
                f"CREATE INDEX {TRIGRAMS} ON {SEARCH} USING gin (search_text gin_trgm_ops)",
            )
    except Error as error:  # no upgrade fails for want of an index
        log.warning(NO_EXTENSION, str(error).partition("\n")[0])


def _triggers(vendor: str) -> Mapping[str, str]:
    """By its name the statement that makes each trigger; the last one makes PostgreSQL's function, too."""
    made = _on_postgresql() if vendor == "postgresql" else _on_sqlite()
    wording = hashlib.sha256("".join(made.values()).encode()).hexdigest()[:8]
    return {
        f"{PREFIX}{what}_{wording}": text.replace("NAME", f"{PREFIX}{what}_{wording}") for what, text in made.items()
    }


def _on_sqlite() -> dict[str, str]:
    columns = ", ".join(COPIED)
    values = ", ".join(f"new.{column}" for column in COPIED)
    changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in (*COPIED, "gone_at"))
    assigned = ", ".join(f"{column} = new.{column}" for column in COPIED)
    copy = f"INSERT INTO {SEARCH} (function_id, {columns}) SELECT new.id, {values}"
    remove = f"DELETE FROM {SEARCH} WHERE function_id = old.id"  # noqa: S608
    update = (
        f"UPDATE {SEARCH} SET {assigned} WHERE function_id = new.id; "  # noqa: S608
        f"{copy} WHERE NOT EXISTS (SELECT 1 FROM {SEARCH} WHERE function_id = new.id); "
    )
    found = {
        "added": f"CREATE TRIGGER NAME AFTER INSERT ON {FUNCTION} WHEN new.gone_at IS NULL BEGIN {copy}; END",
        "changed": f"CREATE TRIGGER NAME AFTER UPDATE OF {columns}, gone_at ON {FUNCTION} "
        f"WHEN new.gone_at IS NULL AND ({changed}) BEGIN {update}END",
        "gone": f"CREATE TRIGGER NAME AFTER UPDATE OF gone_at ON {FUNCTION} "
        f"WHEN new.gone_at IS NOT NULL BEGIN {remove}; END",
        "deleted": f"CREATE TRIGGER NAME AFTER DELETE ON {FUNCTION} BEGIN {remove}; END",
    }
    return found | (_of_trigrams() if _has_tokenizer() else {})


def _of_trigrams() -> dict[str, str]:
    """FTS5 keeps no text of its own: it is told what it was and what it is, whoever writes FunctionSearch."""
    remove = (
        f"INSERT INTO {TRIGRAMS}({TRIGRAMS}, rowid, search_text) VALUES ('delete', old.function_id, old.search_text); "  # noqa: S608
    )
    add = f"INSERT INTO {TRIGRAMS}(rowid, search_text) VALUES (new.function_id, new.search_text); "  # noqa: S608
    return {
        "text_added": f"CREATE TRIGGER NAME AFTER INSERT ON {SEARCH} BEGIN {add}END",
        "text_changed": f"CREATE TRIGGER NAME AFTER UPDATE OF search_text ON {SEARCH} "
        f"WHEN old.search_text IS NOT new.search_text BEGIN {remove}{add}END",
        "text_deleted": f"CREATE TRIGGER NAME AFTER DELETE ON {SEARCH} BEGIN {remove}END",
    }


def _on_postgresql() -> dict[str, str]:
    columns = ", ".join(COPIED)
    values = ", ".join(f"new.{column}" for column in COPIED)
    changed = " OR ".join(f"old.{column} IS DISTINCT FROM new.{column}" for column in (*COPIED, "gone_at"))
    assigned = ", ".join(f"{column} = excluded.{column}" for column in COPIED)
    copies = (
        f"CREATE OR REPLACE FUNCTION {PREFIX}copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608
        f"IF TG_OP = 'DELETE' OR new.gone_at IS NOT NULL THEN DELETE FROM {SEARCH} WHERE function_id = old.id; "
        f"ELSE INSERT INTO {SEARCH} (function_id, {columns}) VALUES (new.id, {values}) "
        f"ON CONFLICT (function_id) DO UPDATE SET {assigned}; END IF; RETURN NULL; END $$; "
    )
    does = f"FOR EACH ROW {{}}EXECUTE FUNCTION {PREFIX}copy()"
    return {
        "added": f"{copies}CREATE TRIGGER NAME AFTER INSERT ON {FUNCTION} {does.format('WHEN (new.gone_at IS NULL) ')}",
        "changed": f"CREATE TRIGGER NAME AFTER UPDATE OF {columns}, gone_at ON {FUNCTION} "
        f"{does.format(f'WHEN ({changed}) ')}",
        "deleted": f"CREATE TRIGGER NAME AFTER DELETE ON {FUNCTION} {does.format('')}",
    }
