"""`/overview/last-day`: what happened in the last 24 hours, people's first."""

from datetime import datetime
from typing import Annotated, Any

from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, QueryEx, Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import OWN, Told, link, one_of
from functions_app.domain.runs import Status
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.overview.last_day import Happened, What, last_day
from functions_app.services.people import access
from functions_app.services.people.actor import named

router = Router(tags=["fleet"])
KEYS = {What.RUN: "run", What.RELEASED: "base", What.GONE: "repository"}


class HappenedLine(Schema):
    """One thing that happened, and to which function; `run`, `base` or `repository` is its id, by `what`.

    `undo`: the run is a patch that POST /runs/ID/undo could take back. `back_to`: where `alias` pointed before.
    """

    what: What = Field(description="run; moved: an alias, outside of Drydock; released: a base; gone: images, from ECR")
    at: datetime
    title: str
    status: str = Field(description="of the run, else empty")
    by: str
    function_id: int | None
    function: str
    more: int = Field(description="functions beside that one")
    run: int | None = None
    base: int | None = None
    repository: int | None = None
    alias: str
    back_to: str
    undo: bool


class LastDayAnswer(Told):
    """What people did, in Drydock or outside, and what came by itself; the newest first, 300 of each kind at most."""

    as_of: datetime
    people: list[HappenedLine]
    others: list[HappenedLine]
    more_by_people: bool = Field(description="there was more than is listed")
    more_by_itself: bool = Field(description="there was more than is listed")


@router.get("/overview/last-day", response=LastDayAnswer)
def get_last_day(
    request: ApiRequest, account: Annotated[str, QueryEx(max_length=80, description="the account's name")] = ""
) -> dict[str, Any]:
    """Changes, aliases moved outside, failures, base releases and images gone from ECR: of one account or of all."""
    access.require_reach(request.actor, None)
    now = clock.now()
    numbers = {fact.name: fact.pk for fact in fleet_status(now).accounts}
    one_of("account", account, numbers)
    found = last_day(now, numbers.get(account))
    failed = sum(each.status == Status.FAILED for each in (*found.people, *found.others))
    people = f"{'at least ' * found.more_by_people}{len(found.people)} by people"
    others = f"{'at least ' * found.more_by_itself}{len(found.others)} by itself"
    more = "at least " * (found.more_by_people or found.more_by_itself)
    query = f"?{urlencode({'account': account})}" if account else ""
    setattr(request, OWN, True)
    return {
        "text": f"The last 24 hours: {people}, {others}, {more}{failed} failed.",
        "url": link(request, reverse("overview") + query),
        "as_of": now,
        "people": [_line(each) for each in found.people],
        "others": [_line(each) for each in found.others],
        "more_by_people": found.more_by_people,
        "more_by_itself": found.more_by_itself,
    }


def _line(found: Happened) -> dict[str, Any]:
    same = ("what", "at", "title", "status", "function", "more", "alias", "undo")
    return {
        **{name: getattr(found, name) for name in same},
        **({KEYS[found.what]: found.key} if found.what in KEYS else {}),
        "function_id": found.function_id or None,
        "back_to": found.version,
        "by": named(found.by, found.via) if found.by else "",
    }
