"""The audit table as its page shows it: who did what, with which plan and result; refused attempts too."""

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet

from functions_app.models import AuditEntry
from functions_app.services.inventory.runs.run_facts import facts
from functions_app.services.people.actor import named

PAGE = 50


@dataclass(frozen=True)
class AuditFilter:
    """Whose entries are wanted, and about what: a word of the action or target; "" for any."""

    person: str = ""
    about: str = ""


@dataclass(frozen=True)
class AuditRow:
    """An entry; `facts` are those of the plan."""

    at: datetime
    actor_name: str
    action: str
    target: str
    result: str
    run_id: int | None
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class AuditList:
    """One page of entries, the newest first; `total` of those wanted."""

    rows: tuple[AuditRow, ...]
    total: int
    number: int
    last: int


def audit_list(wanted: AuditFilter, page: int) -> AuditList:
    """A page of entries, the newest first. Two queries."""
    found = filtered(wanted)
    paginator = Paginator(found, PAGE)
    current = paginator.get_page(page)
    return AuditList(tuple(map(audit_row, current)), paginator.count, current.number, paginator.num_pages)


def filtered(wanted: AuditFilter) -> QuerySet[AuditEntry]:
    """The entries that are wanted, the newest first."""
    found = AuditEntry.objects.all()
    if wanted.person:
        found = found.filter(actor_name__icontains=wanted.person)
    if wanted.about:
        found = found.filter(Q(action__icontains=wanted.about) | Q(target__icontains=wanted.about))
    return found


def audit_row(entry: AuditEntry) -> AuditRow:
    """An entry as lists show it."""
    return AuditRow(
        entry.at,
        named(entry.actor_name, entry.via),
        entry.action,
        entry.target,
        entry.result,
        entry.run_id,
        facts(entry.plan),
    )
