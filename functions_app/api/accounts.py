"""`/accounts`: what is looked after, how old each region is, and what administrators settle of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router, Schema
from ninja.responses import Status
from pydantic import StrictBool

from functions_app import clock
from functions_app.api import matching
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Answer, Body, Format, Listed, Told, given, link
from functions_app.domain.changes.approvals import Approval
from functions_app.domain.changes.production import LENGTH
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.account_colours import COLOURS, FIRST
from functions_app.domain.text import counted
from functions_app.models import Account
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.settings import account_table
from functions_app.services.people import account_settings
from functions_app.services.people.account_settings import AccountDraft
from functions_app.services.snapshot import account_rules
from functions_app.streams.table_download import table_answer

router = Router(tags=["settings"])
BLANK = AccountDraft("", "", FIRST, (), "", "", enabled=True)
PRODUCTION = "names with * and ?, with commas: which aliases carry production traffic; empty: the default"


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


class AccountAnswer(Told):
    """What is settled of an account; its ETag is what a change names in If-Match."""

    account_id: str
    name: str
    colour: str
    regions: list[str]
    role_arn: str
    production: str
    approval: Approval
    enabled: bool


class AccountChange(Body):
    """What can be changed of an account."""

    name: str = Field("", max_length=80)
    colour: str = Field(BLANK.colour, max_length=16, description=", ".join(COLOURS))
    regions: list[str] = Field([], max_length=50)
    role_arn: str = Field("", max_length=200, description="empty: the environment's own credentials")
    external_id: str = Field("", max_length=200)
    production: str = Field("", max_length=LENGTH, description=PRODUCTION)
    approval: Approval = Field(Approval.BOTS, description="whose changes of those an approver has to agree to")
    enabled: StrictBool = True


class AccountBody(AccountChange):
    """An account that is to be looked after, too."""

    account_id: str = Field(max_length=12, description="AWS's number")


@router.get("/accounts", response=AccountList)
def list_accounts(request: ApiRequest, format: Format = "") -> Listed:
    """The accounts with their regions, how old each is and what went wrong last."""
    if format:
        return table_answer(request, account_table(request.actor.reach))
    status = fleet_status(clock.now())
    reached = status.reached(request.actor.reach)
    names = {fact.name for fact in reached}
    wrong = sum(scope.account in names for scope in status.problems)
    return {
        "text": f"{counted(len(reached), 'account')}, {counted(wrong, 'region')} with problems.",
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


@router.post("/accounts", response={201: AccountAnswer})
def add_account(request: ApiRequest, response: HttpResponse, body: AccountBody) -> Answer:
    """Look after another account, through the role that it names; for administrators."""
    account_settings.require_administrator(request.actor, "account.change")
    account = account_rules.save(_drafted(BLANK, body), request.actor)
    response["Location"] = reverse("api:get_account", args=[account.account_id])
    return Status(201, _told(request, response, account))


@router.get("/accounts/{account_id}", response=AccountAnswer)
def get_account(request: ApiRequest, response: HttpResponse, account_id: str) -> dict[str, Any]:
    """What is settled of one account, by AWS's number."""
    account = Account.objects.filter(account_id=account_id).first()
    if account is None or not request.actor.reach.covers_account(account_id):
        raise DrydockError(Code.NOT_FOUND, "There is no such account here.", next_step="Look for it in /accounts.")
    return _told(request, response, account)


@router.patch("/accounts/{account_id}", response=AccountAnswer)
def change_account(request: ApiRequest, response: HttpResponse, account_id: str, body: AccountChange) -> dict[str, Any]:
    """Change what is sent of an account; for administrators."""
    account_settings.require_administrator(request.actor, "account.change")
    rows = Account.objects.filter(account_id=account_id)
    if (known := rows.first()) is not None:
        account_settings.require_as_watched(_drafted(AccountDraft.of(known), body), request.actor, known)
    with matching.locked(rows, request, _facts) as account:
        account = account_rules.save(_drafted(AccountDraft.of(account), body), request.actor, account)
    return _told(request, response, account)


def _drafted(before: AccountDraft, body: AccountChange) -> AccountDraft:
    values = given(body)
    if "regions" in values:
        values["regions"] = tuple(dict.fromkeys(word.strip().lower() for word in values["regions"]))
    return replace(before, **values)


def _facts(account: Account) -> Mapping[str, Any]:
    """All that an administrator settles."""
    draft = AccountDraft.of(account)
    return {name: getattr(draft, name) for name in (*AccountAnswer.model_fields, "external_id") if hasattr(draft, name)}


def _told(request: ApiRequest, response: HttpResponse, account: Account) -> dict[str, Any]:
    facts = dict(_facts(account))
    matching.tell(response, facts)
    del facts["external_id"]  # pages show it to administrators alone
    told = f"{account.name} ({account.account_id}): {', '.join(account.regions)}{'' if account.enabled else '; off'}."
    return {"text": told, "url": link(request, reverse("accounts")), **facts}
