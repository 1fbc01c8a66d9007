"""`/audit`: who did what."""

from datetime import datetime
from typing import Literal

from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Listed, Page, Paged, one_of, page_of, paged, written
from functions_app.domain.audit_words import FAMILIES
from functions_app.domain.moments import WRITTEN
from functions_app.domain.text import counted
from functions_app.services.inventory.audit import DONE, REFUSED, AuditFilter, audit_list
from functions_app.services.inventory.tables.history import audit_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer

router = Router(tags=["settings"])


class Filters(Paged):
    """Whose entries, and about what."""

    person: str = Field("", max_length=150)
    about: str = Field("", max_length=200, description="a part of the action, its words or the target")
    function: str = Field("", max_length=200, description="a part of the name of the function that is the target")
    kind: list[str] = Field([], max_length=len(FAMILIES), description=f"any of {', '.join(FAMILIES)}")
    status: str = Field("", description=f"{DONE} or {REFUSED}")
    since: str = Field("", max_length=40, description=WRITTEN)
    until: str = Field("", max_length=40, description=WRITTEN)
    sign_ins: Literal["yes", "no"] = Field("yes", description="whether sign-ins are told; on the page they are folded")


class AuditLine(Schema):
    """A change, or a refused attempt at one."""

    at: datetime
    actor: str
    action: str
    words: str
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
    one_of("status", filters.status, (DONE, REFUSED))
    for kind in filters.kind:
        one_of("kind", kind, FAMILIES)
    for name in ("since", "until"):
        written(name, getattr(filters, name))
    asked = filters.chosen()
    own = {"kind": tuple(filters.kind), "sign_ins": filters.sign_ins == "yes"}
    wanted = AuditFilter(**{**asked, **own}, addresses=access.is_administrator(request.actor))
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
                **{name: getattr(row, name) for name in ("at", "action", "words", "target", "result")},
            }
            for row in found.rows
        ],
    }
