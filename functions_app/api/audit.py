"""`/audit`: who did what."""

from datetime import datetime

from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Listed, Page, Paged, page_of, paged
from functions_app.domain.text import counted
from functions_app.services.inventory.audit import AuditFilter, audit_list
from functions_app.services.inventory.tables.history import audit_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer

router = Router(tags=["settings"])


class Filters(Paged):
    """Whose entries, and about what."""

    person: str = Field("", max_length=150)
    about: str = Field("", max_length=200)


class AuditLine(Schema):
    """A change, or a refused attempt at one."""

    at: datetime
    actor: str
    action: str
    target: str
    result: str
    run: int | None


class AuditPage(Page):
    """A page of the audit, the newest first."""

    entries: list[AuditLine]


@router.get("/audit", response=AuditPage)
def list_audit(request: ApiRequest, filters: Query[Filters]) -> Listed:
    """Who did what, with which result; refused attempts too."""
    access.require_reach(request.actor, None)
    asked, wanted = filters.chosen(), AuditFilter(filters.person, filters.about)
    if filters.format:
        return table_answer(request, audit_table(wanted))
    found = audit_list(wanted, page_of(filters.cursor, asked))
    text, at = f"{counted(found.total, 'entry', 'entries')}.", (found.number, found.last)
    return {
        **paged(request, reverse("audit"), text, asked, total=found.total, at=at, as_of=OWN),
        "entries": [
            {
                "actor": row.actor_name,
                "run": row.run_id,
                **{name: getattr(row, name) for name in ("at", "action", "target", "result")},
            }
            for row in found.rows
        ],
    }
