"""Write different values to many rows with one prepared statement, where Django's bulk_update is too slow."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import Field, Model, QuerySet


def update_rows(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set `columns` (field names) of rows: each of `rows` holds the values in that order, then the primary key.

    One statement, executed for all rows in one transaction. Values are prepared by their fields, as save() does.
    """
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in columns]
    table, key, *names = map(
        _quoted, [model._meta.db_table, model._meta.pk.column, *(field.column for field in fields)]
    )
    assignments = ", ".join(f"{name} = %s" for name in names)
    # Names of tables and columns come from the model; every value is a parameter.
    statement = f"UPDATE {table} SET {assignments} WHERE {key} = %s"  # noqa: S608
    prepared = [
        [*(field.get_db_prep_save(row[at], connection) for at, field in enumerate(fields)), row[-1]] for row in rows
    ]
    if prepared:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, prepared)


def lock_rows(rows: QuerySet[Any]) -> list[Any]:
    """Lock rows until the end of the transaction, in the order of their keys, which it gives.

    Whoever updates many rows of a table that others update too locks them in this order: in two different ones,
    PostgreSQL finds a deadlock and gives up one of the two. SQLite has one writer at a time.
    """
    return list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
