"""What a test outside one transaction leaves in the database goes after it, in less time than Django's flush takes.

Django empties every table, then makes the types of contents and their permissions anew: on SQLite 16 ms, on PostgreSQL,
whose TRUNCATE makes new files for each table and index, 90 ms and a cold start for the next test. The same is left.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

FLUSHED_EVERY = 100  # times: PostgreSQL keeps the room of deleted rows, which slows down who reads a whole table
MADE_ANEW = (ContentType, Permission)


class Emptying:
    """It knows what a flush leaves from the first one."""

    def __init__(self) -> None:
        self._left: list[Any] = []
        self._tables: list[str] = []
        self._times = 0

    def carry_out(self, flush: Callable[[], None]) -> None:
        """Leave what the flush would."""
        self._times += 1
        if self._times % FLUSHED_EVERY != 1 and _made() == self._left:
            _delete(self._tables)
            return
        flush()
        self._left = _made()
        apart = {model._meta.db_table for model in MADE_ANEW}
        found = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self._tables = [connection.ops.quote_name(table) for table in sorted(set(found) - apart)]


def _made() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values_list()) for model in MADE_ANEW]


def _delete(tables: list[str]) -> None:
    """As TRUNCATE does: wait for whoever has read or written one, then ask neither triggers nor foreign keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            looks = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)  # noqa: S608
            cursor.execute(" UNION ALL ".join(looks))
            tables = [table for (table,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
