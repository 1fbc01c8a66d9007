"""`/accounts`, `/people` and `/audit`: what is looked after, by whom, and who did what."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from ninja import Field, Query, Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Page, Told, cursor_of, link, page_of
from functions_app.services.inventory.audit import AuditFilter, audit_list
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.people import access, people_list

router = Router(tags=["settings"])


class ScopeLine(Schema):
    """A region of an account: when it was read last, and what went wrong then."""

    region: str
    synced_at: datetime | None
    problem: str


class AccountLine(Schema):
    """An account of AWS's."""

    name: str
    account_id: str
    regions: list[ScopeLine]


class AccountList(Told):
    """The accounts that Drydock looks after."""

    as_of: datetime | None
    accounts: list[AccountLine]


class PersonLine(Schema):
    """Somebody who may sign in."""

    name: str
    group: str
    last_seen: datetime | None


class PersonList(Told):
    """Everybody who may sign in."""

    people: list[PersonLine]


class Filters(Schema):
    """Whose entries, and about what."""

    person: str = Field("", max_length=150)
    about: str = Field("", max_length=200)
    cursor: str = Field("", max_length=200)


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


@router.get("/accounts", response=AccountList)
def list_accounts(request: ApiRequest) -> dict[str, Any]:
    """The accounts with their regions, how old each is and what went wrong last."""
    status = fleet_status(clock.now())
    reached = [fact for fact in status.accounts if request.actor.reach.covers_account(fact.account_id)]
    names = {fact.name for fact in reached}
    wrong = sum(scope.account in names for scope in status.problems)
    return {
        "text": f"{len(reached)} {'account' if len(reached) == 1 else 'accounts'}, {wrong} regions with problems.",
        "url": link(request, reverse("accounts")),
        "as_of": status.synced_at,
        "accounts": [
            {
                "name": fact.name,
                "account_id": fact.account_id,
                "regions": [
                    {
                        "region": scope.region,
                        "synced_at": scope.synced_at,
                        "problem": scope.problem.message if scope.problem else "",
                    }
                    for scope in status.scopes
                    if scope.account == fact.name
                ],
            }
            for fact in reached
        ],
    }


@router.get("/people", response=PersonList)
def list_people(request: ApiRequest) -> dict[str, Any]:
    """Everybody who may sign in, with what they may; for administrators."""
    people_list.require_administrator(request.actor)
    rows = people_list.everybody()
    return {
        "text": f"{len(rows)} {'person' if len(rows) == 1 else 'people'}.",
        "url": link(request, reverse("sessions")),
        "people": [{"name": row.name, "group": row.group, "last_seen": row.last_seen} for row in rows],
    }


@router.get("/audit", response=AuditPage)
def list_audit(request: ApiRequest, filters: Query[Filters]) -> dict[str, Any]:
    """Who did what, with which result; refused attempts too."""
    access.require_reach(request.actor, None)
    asked = filters.dict(exclude={"cursor"})
    found = audit_list(AuditFilter(filters.person, filters.about), page_of(filters.cursor, asked))
    return {
        "text": f"{found.total} {'entry' if found.total == 1 else 'entries'}.",
        "url": link(request, reverse("audit")),
        "total": found.total,
        "as_of": None,
        "next": cursor_of(found.number + 1, asked) if found.number < found.last else None,
        "entries": [
            {
                "actor": row.actor_name,
                "run": row.run_id,
                **{name: getattr(row, name) for name in ("at", "action", "target", "result")},
            }
            for row in found.rows
        ],
    }
