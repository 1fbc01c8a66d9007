"""`/repositories/ID`: what its lifecycle policy would delete next and whom that hits; reading it anew."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.images import require_account
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Told, link
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import Repository
from functions_app.services.images import forecasts
from functions_app.services.inventory.images.forecast import forecast
from functions_app.services.people import access
from functions_app.services.sync import single_repositories

router = Router(tags=["images"])


class ExpiringLine(Schema):
    """An image that a rule would take away."""

    digest: str
    rule: int
    action: str
    tags: list[str]
    pushed_at: str


class DangerLine(Schema):
    """Who uses an image that would go; `live` where calls reach it."""

    function_id: int
    function: str
    account: str
    version: str
    aliases: list[str]
    digest: str
    rule: int
    live: bool
    reason: str


class ForecastAnswer(Told):
    """What the lifecycle policy of a repository would delete next, by ECR's own preview."""

    read_at: datetime | None
    problem: str
    policy: str
    expiring: list[ExpiringLine]
    more: int
    dangers: list[DangerLine]


@router.get("/repositories/{int:pk}/forecast", response=ForecastAnswer)
def get_forecast(request: ApiRequest, pk: int) -> dict[str, Any]:
    """The last forecast of a repository; 404 where none was read yet."""
    row = _reached(request, pk)
    found = forecast(pk, request.actor.reach)
    if found is None:
        raise DrydockError(Code.NOT_FOUND, f"{row.name} was not forecast yet.", next_step="Start a forecast of it.")
    return {
        "text": f"{row.name}: {counted(len(found.expiring), 'image')} would go; {len(found.worst)} live.",
        "url": link(request, reverse("repository", args=[pk])),
        "read_at": found.read_at,
        "problem": found.problem.message if found.problem else "",
        "policy": found.policy,
        "more": found.hidden,
        "expiring": [
            {**{name: getattr(each, name) for name in ExpiringLine.model_fields}, "action": each.action.value}
            for each in found.shown
        ],
        "dangers": [danger_line(each) for each in (*found.worst, *found.others)],
    }


def danger_line(row: Any) -> dict[str, Any]:
    """A use of an image that would go, flat."""
    use = row.use
    return {
        "aliases": list(use.aliases),
        "digest": row.danger.digest,
        "rule": row.danger.rule,
        "live": row.live,
        "reason": row.text,
        **{name: getattr(use, name) for name in ("function_id", "function", "account", "version")},
    }


@router.post("/repositories/{int:pk}/forecasts", response={202: Started})
def start_forecast(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Preview the lifecycle policy of a repository; 409 while one is under way."""
    row = _reached(request, pk)
    access.require_operator(request.actor, "forecast.start", str(row))
    return followed(request, response, forecasts.submit(request.actor, row))


@router.post("/repositories/{int:pk}/syncs", response={202: Started})
def sync_repository(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Read one repository anew, as an event of a push would; 409 while others are being read: it is read after them."""
    row = _reached(request, pk)
    access.require_operator(request.actor, "sync.start", str(row))
    return followed(request, response, single_repositories.submit(row, request.actor))


def _reached(request: ApiRequest, pk: int) -> Repository:
    row = Repository.objects.select_related("account").filter(pk=pk).first()
    if row is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such repository.", next_step="Look for it by name in /repositories."
        )
    require_account(request.actor, row.account)
    return row
