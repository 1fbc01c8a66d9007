"""`/policies`: how long a stale base may stay until it is overdue, read and settled."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router, Schema
from ninja.responses import Status

from functions_app.api import matching
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Answer, Body, Format, Listed, Told, given, link
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Account, FreshnessPolicy
from functions_app.services.bases import overdue_policies
from functions_app.services.bases.overdue_policies import DAYS_LIMIT, RELEASES_LIMIT, PolicyDraft
from functions_app.services.inventory.tables.bases import policy_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer

router = Router(tags=["bases"])
NOTHING = PolicyDraft("", "", "", "", "")


class PolicyLine(Schema):
    """How long a stale base may stay: for an account, a tag, or everything."""

    id: int
    account: str
    tag: str
    max_days: int | None
    max_releases: int | None


class PolicyList(Told):
    """The policies of freshness."""

    policies: list[PolicyLine]


class PolicyAnswer(Told):
    """One policy; its ETag is what a change names in If-Match."""

    id: int
    account: str
    tag_key: str
    tag_value: str
    max_days: int | None
    max_releases: int | None


class PolicyBody(Body):
    """For which functions, and what it allows; null is no limit."""

    account: str = Field("", max_length=80, description="an account's name; empty: every account")
    tag_key: str = Field("", max_length=128)
    tag_value: str = Field("", max_length=256)
    max_days: int | None = Field(None, ge=0, le=DAYS_LIMIT)
    max_releases: int | None = Field(None, ge=0, le=RELEASES_LIMIT)


@router.get("/policies", response=PolicyList)
def list_policies(request: ApiRequest, format: Format = "") -> Listed:
    """How long a stale base may stay before it is overdue."""
    access.require_reach(request.actor, None)
    if format:
        return table_answer(request, policy_table())
    rows = overdue_policies.listing()
    return {
        "text": f"{counted(len(rows), 'policy', 'policies')}.",
        "url": link(request, reverse("policies")),
        "policies": [{name: getattr(row, name) for name in PolicyLine.model_fields} for row in rows],
    }


@router.post("/policies", response={201: PolicyAnswer})
def add_policy(request: ApiRequest, response: HttpResponse, body: PolicyBody) -> Answer:
    """Say how long a stale base may stay; lists follow at once."""
    access.require_setter(request.actor, "freshness_policy.save", "new policy")
    policy = overdue_policies.save(_drafted(NOTHING, body), request.actor)
    response["Location"] = reverse("api:get_policy", args=[policy.pk])
    return Status(201, _told(request, response, policy))


@router.get("/policies/{int:pk}", response=PolicyAnswer)
def get_policy(request: ApiRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One policy."""
    access.require_reach(request.actor, None)
    return _told(request, response, _found(pk))


@router.patch("/policies/{int:pk}", response=PolicyAnswer)
def change_policy(request: ApiRequest, response: HttpResponse, pk: int, body: PolicyBody) -> dict[str, Any]:
    """Change what is sent of a policy."""
    access.require_setter(request.actor, "freshness_policy.save", str(_found(pk)))
    with matching.locked(_rows(pk), request, _facts) as policy:
        policy = overdue_policies.save(_drafted(PolicyDraft.of(policy), body), request.actor, policy)
    return _told(request, response, policy)


@router.delete("/policies/{int:pk}", response=Told)
def remove_policy(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Take a policy away."""
    access.require_setter(request.actor, "freshness_policy.delete", str(_found(pk)))
    with matching.locked(_rows(pk), request, _facts) as policy:
        told = f"The policy for {policy} is taken away."
        overdue_policies.delete(policy, request.actor)
    return {"text": told, "url": link(request, reverse("policies"))}


def _rows(pk: int) -> Any:
    return FreshnessPolicy.objects.select_related("account").filter(pk=pk)


def _found(pk: int) -> FreshnessPolicy:
    policy: FreshnessPolicy | None = _rows(pk).first()
    if policy is None:
        raise DrydockError(Code.NOT_FOUND, "There is no such policy.", next_step="Look for it in the list of policies.")
    return policy


def _drafted(before: PolicyDraft, body: PolicyBody) -> PolicyDraft:
    values: dict[str, Any] = {}
    for name, value in given(body).items():
        values[name] = _key(value) if name == "account" else "" if value is None else str(value)
    return replace(before, **values)


def _key(name: str) -> str:
    if not name:
        return ""
    account = Account.objects.filter(name=name).first()
    if account is None:
        raise DrydockError(Code.INVALID, f"There is no account {name}.", next_step="Name one as /accounts lists it.")
    return str(account.pk)


def _facts(policy: FreshnessPolicy) -> Mapping[str, Any]:
    return {
        "id": policy.pk,
        "account": policy.account.name if policy.account else "",
        **{name: getattr(policy, name) for name in ("tag_key", "tag_value", "max_days", "max_releases")},
    }


def _told(request: ApiRequest, response: HttpResponse, policy: FreshnessPolicy) -> dict[str, Any]:
    facts = _facts(policy)
    matching.tell(response, facts)
    limits = [(policy.max_days, "days"), (policy.max_releases, "releases behind")]
    words = " or ".join(f"{limit} {what}" for limit, what in limits if limit is not None)
    return {"text": f"For {policy}: {words or 'no limit'}.", "url": link(request, reverse("policies")), **facts}
