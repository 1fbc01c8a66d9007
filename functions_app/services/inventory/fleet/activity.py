"""What happened to one function: runs, alias moves and audit entries, newest first."""

from dataclasses import dataclass

from functions_app.models import AliasMove, AuditEntry, Function, Run
from functions_app.services.snapshot.alias_histories import own_moves

SHOWN = 50


@dataclass(frozen=True)
class Activity:
    """The newest of each kind."""

    runs: tuple[Run, ...]
    moves: tuple[AliasMove, ...]
    audit: tuple[AuditEntry, ...]


def function_activity(pk: int) -> Activity:
    """Read the newest fifty of each. Three queries."""
    arn = Function.objects.filter(pk=pk).values("arn")
    runs = Run.objects.filter(function_id=pk).defer("plan", "memory", "result").order_by("-pk")[:SHOWN]
    moves = own_moves().filter(function_id=pk).select_related("run")[:SHOWN]
    audit = AuditEntry.objects.filter(target=arn[:1]).defer("plan")[:SHOWN]
    return Activity(tuple(runs), tuple(moves), tuple(audit))
