"""Runs, and the audit."""

from django.db.models import Q

from functions_app.models import AuditEntry
from functions_app.services.inventory.audit import AuditFilter, audit_row
from functions_app.services.inventory.audit import filtered as entries
from functions_app.services.inventory.runs.run_list import RunFilter, filtered, run_rows
from functions_app.services.inventory.tables.table import Row, Table, in_batches, values

RUNS = ("id", "kind", "title", "status", "steps", "actor", "created_at", "took", "why")
AUDIT = ("at", "actor", "action", "target", "result", "run")
_AUDIT = ("at", "actor_name", "action", "target", "result", "run_id")


def run_table(wanted: RunFilter, within: Q | None = None) -> Table:
    """All runs that are wanted, the newest first."""
    every = RunFilter(children=True)

    def read(keys: list[int]) -> list[Row]:
        rows = run_rows(list(filtered(every).filter(pk__in=keys)))
        return [[row.pk, *values(row, RUNS[1:])] for row in rows]

    keys = filtered(wanted).filter(within or Q()).values_list("pk", flat=True)
    return Table("runs", RUNS, in_batches(keys, read))


def audit_table(wanted: AuditFilter) -> Table:
    """All entries that are wanted, the newest first."""

    def read(keys: list[int]) -> list[Row]:
        found = AuditEntry.objects.filter(pk__in=keys)
        return [values(audit_row(entry), _AUDIT) for entry in found]

    return Table("audit", AUDIT, in_batches(entries(wanted).values_list("pk", flat=True), read))
