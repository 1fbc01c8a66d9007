"""Runs, plans, the audit, and where the aliases of a function pointed."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Q

from functions_app.domain.changes.approvals import PlanState
from functions_app.models import AuditEntry
from functions_app.services.inventory.audit import AuditFilter, audit_row
from functions_app.services.inventory.audit import filtered as entries
from functions_app.services.inventory.plans import plan_row, seen
from functions_app.services.inventory.runs.run_filter import RunFilter, filtered
from functions_app.services.inventory.runs.run_list import LISTED, run_rows
from functions_app.services.inventory.tables.table import Row, Table, batched, in_batches, values
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.alias_histories import own_moves

RUNS = ("id", "kind", "title", "status", "steps", "actor", "created_at", "took", "why")
_PLAN = ("title", "kind", "target", "via", "created_at", "expires_at", "applied_at", "asked_at", "decided_by", "reason")
PLANS = ("id", "state", "maker", *_PLAN)
AUDIT = ("at", "actor", "action", "target", "result", "run", "words")
MOVES = ("alias", "version", "second_version", "second_weight", "at", "run", "actor")
_AUDIT = ("at", "actor_name", "action", "target", "result", "run_id", "words")


def run_table(wanted: RunFilter, within: Q | None = None) -> Table:
    """All runs that are wanted, the newest first."""
    every = RunFilter(children=True)

    def read(keys: list[int]) -> list[Row]:
        rows = run_rows(list(filtered(every).filter(pk__in=keys).only(*LISTED)))
        return [[row.pk, *values(row, RUNS[1:])] for row in rows]

    keys = filtered(wanted).filter(within or Q()).values_list("pk", flat=True)
    return Table("runs", RUNS, in_batches(keys, read))


def plan_table(actor: Actor, state: PlanState | None) -> Table:
    """All plans that somebody may see, by state, the newest first."""

    def read(keys: list[UUID]) -> list[Row]:
        rows = [plan_row(plan, actor) for plan in seen(actor, state).filter(pk__in=keys)]
        return [[row.plan.pk, row.state, row.maker, *values(row.plan, _PLAN)] for row in rows]

    def batches() -> Iterator[Sequence[Row]]:
        yield from batched(list(seen(actor, state).values_list("pk", flat=True)), read)

    return Table("plans", PLANS, batches())


def audit_table(wanted: AuditFilter) -> Table:
    """All entries that are wanted, the newest first."""

    def read(keys: list[int]) -> list[Row]:
        found = AuditEntry.objects.filter(pk__in=keys)
        return [values(audit_row(entry, addresses=wanted.addresses), _AUDIT) for entry in found]

    return Table("audit", AUDIT, in_batches(entries(wanted).values_list("pk", flat=True), read))


def move_table(function: int) -> Table:
    """All that was seen of where a function's aliases point, the newest first; without a run nobody here did it."""

    def read(keys: list[int]) -> list[Row]:
        return [
            [*values(move, MOVES[:5]), move.run_id, move.run.actor_name if move.run else ""]
            for move in own_moves().filter(pk__in=keys).select_related("run")
        ]

    keys = own_moves().filter(function_id=function).values_list("pk", flat=True)
    return Table(f"alias-moves-{function}", MOVES, in_batches(keys, read))
