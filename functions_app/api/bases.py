"""`/bases`: the base images that functions stand on, their releases, how long a stale one may stay; polls."""

from datetime import date, datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Told, link
from functions_app.services.bases import overdue_policies, poll_schedule
from functions_app.services.inventory.bases.base import Wanted, base_page
from functions_app.services.inventory.bases.base_list import StreamRow, base_list
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.people import access

router = Router(tags=["bases"])


class BaseLine(Schema):
    """A base stream: what is current of it, and who stands on it."""

    id: int
    name: str
    reference: str
    own: bool
    current: str
    current_at: datetime | None
    functions: int
    behind: int
    end_of_life: date | None
    polled_at: datetime | None
    problem: str


class BaseList(Told):
    """The base streams, those with most behind first; `unknown`: functions whose base is not known."""

    bases: list[BaseLine]
    unknown: int


class ReleaseLine(Schema):
    """A release of a base, and how much runs it."""

    label: str
    platform: str
    created_at: datetime
    current: bool
    digest: str
    functions: int
    aliases: int


class BaseAnswer(Told):
    """One base with the newest of its releases."""

    id: int
    name: str
    reference: str
    functions: int
    behind: int
    releases: list[ReleaseLine]


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


@router.get("/bases", response=BaseList)
def list_bases(request: ApiRequest) -> dict[str, Any]:
    """The base images that functions stand on, and those that are watched beside."""
    access.require_reach(request.actor, None)
    found = base_list(clock.now(), brief=True)
    behind = sum(row.tally.behind for row in found.used)
    return {
        "text": f"{len(found.used)} bases in use; {behind} functions behind, {found.unknown} on a base nobody knows.",
        "url": link(request, reverse("bases")),
        "unknown": found.unknown,
        "bases": [_line(row) for row in (*found.used, *found.unused)],
    }


def _line(row: StreamRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "current": row.current_tag,
        "functions": row.tally.total,
        "behind": row.tally.behind,
        "end_of_life": min((day for day in (row.ends.runtime, row.ends.os) if day), default=None),
        "problem": row.problem.message if row.problem else "",
        **{name: getattr(row, name) for name in ("name", "reference", "own", "current_at", "polled_at")},
    }


@router.get("/bases/{int:pk}", response=BaseAnswer)
def get_base(request: ApiRequest, pk: int) -> dict[str, Any]:
    """One base: its newest releases, and how much runs each."""
    access.require_reach(request.actor, None)
    now = clock.now()
    found = base_page(pk, Wanted(), fleet_status(now).accounts, now)
    return {
        "text": f"{found.stream.name}: {found.tally.behind} of {found.tally.total} functions are behind.",
        "url": link(request, reverse("base", args=[pk])),
        "id": pk,
        "name": found.stream.name,
        "reference": found.stream.reference,
        "functions": found.tally.total,
        "behind": found.tally.behind,
        "releases": [
            {
                "label": row.label,
                "platform": row.release.platform,
                "created_at": row.release.created_at,
                "current": row.release.current,
                "digest": row.release.manifest_digest,
                "functions": row.functions,
                "aliases": row.aliases,
            }
            for row in found.rows
        ],
    }


@router.post("/polls", response={202: Started})
def start_poll(request: ApiRequest, response: HttpResponse) -> Answer:
    """Look for new releases of every base that is watched; 409 while a poll is under way."""
    access.require_operator(request.actor, "poll.start", "all bases")
    return followed(request, response, poll_schedule.submit_poll(request.actor))


@router.get("/policies", response=PolicyList)
def list_policies(request: ApiRequest) -> dict[str, Any]:
    """How long a stale base may stay before it is overdue."""
    access.require_reach(request.actor, None)
    rows = overdue_policies.listing()
    return {
        "text": f"{len(rows)} {'policy' if len(rows) == 1 else 'policies'}.",
        "url": link(request, reverse("policies")),
        "policies": [{name: getattr(row, name) for name in PolicyLine.model_fields} for row in rows],
    }
