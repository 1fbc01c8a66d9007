"""A database that was just filled, at rest: what is measured is pages, not what PostgreSQL still does for the rows."""

from django.db import connection


def settle() -> None:
    """Count its rows, as PostgreSQL's autovacuum would within a minute, and write out what it would over five."""
    statements = ("VACUUM ANALYZE", "CHECKPOINT") if connection.vendor == "postgresql" else ("ANALYZE",)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
