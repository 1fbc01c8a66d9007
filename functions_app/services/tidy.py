"""Takes away what would grow for ever: old log lines, plans, payloads that were never sent, sessions, scheduled runs,
refusals of nobody, selections.

The audit table and the runs of people stay; of a run that ended long ago only the log goes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app import eventlog
from functions_app.domain.runs import ACTIVE, ENDED, Kind
from functions_app.models import AuditEntry, LogLine, Plan, Run, Selection
from functions_app.services.engine import payloads, plan_ends
from functions_app.services.people import session_store, sign_in
from functions_app.services.people.actor import CHAT, SCHEDULE

# Refusals of who is nobody: anybody makes as many as they like. No person's name begins so.
NOBODYS = Q(action=sign_in.REFUSED) | Q(actor=None, actor_name__startswith="(", via__startswith=f"{CHAT} ")
UNDER_WAY = Exists(Run.objects.filter(made_from=OuterRef("pk"), status__in=ACTIVE))  # a run needs its plan
BATCH = 5_000  # rows per transaction: nobody waits long for SQLite's one writer


@dataclass(frozen=True)
class Tidied:
    """How many rows of each went."""

    log_lines: int
    runs: int
    plans: int
    payloads: int
    sessions: int
    refusals: int
    events: int
    selections: int


def tidy(now: datetime) -> Tidied:
    """Do all of it. May be called at any time and any number of times."""
    _count_what_plans_need()
    logs_until = now - timedelta(days=settings.ENV.keep_logs_days)
    plans_until = now - timedelta(days=settings.ENV.keep_plans_days)
    ended = Run.objects.filter(status__in=ENDED, ended_at__lt=logs_until)
    return Tidied(
        log_lines=_delete(LogLine.objects.filter(run__in=ended)),
        # A run that keeps others alive knows by their rows which were made.
        runs=_delete(ended.filter(via=SCHEDULE.via).exclude(parent__status__in=ACTIVE)),
        plans=_delete(Plan.objects.filter(~UNDER_WAY, expires_at__lt=plans_until)),
        payloads=_forget_payloads(now),
        sessions=_delete(session_store.ended()),
        refusals=_delete(AuditEntry.objects.filter(NOBODYS, at__lt=logs_until)),
        events=_delete(eventlog.outlived(now)),
        selections=_delete(Selection.objects.filter(expires_at__lt=now)),
    )


def _count_what_plans_need() -> None:
    """Have SQLite count how its indexes are filled, or it chooses badly among them. PostgreSQL does it by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA analysis_limit = 1000")  # rows of each index: a moment for any size
            cursor.execute("ANALYZE")


def _delete(rows: QuerySet[Any]) -> int:
    gone = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        gone += len(keys)
        rows.model._default_manager.filter(pk__in=keys).delete()
    return gone


def _forget_payloads(now: datetime) -> int:
    """Of an invocation that was never sent (refused, cancelled, expired) the plan still holds the payload."""
    held = Plan.objects.filter(~UNDER_WAY, plan_ends.over(now), kind=Kind.INVOCATION, body__has_key=payloads.PRIVATE)
    keys = list(held.values_list("pk", flat=True))
    for key in keys:
        payloads.forget_payload(key)
    return len(keys)
