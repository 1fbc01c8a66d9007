"""`/overview`: what needs attention, counted. `/doctor`: what of the installation works."""

from datetime import date
from typing import Any

from django.urls import reverse
from ninja import Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.health.findings import Finding, counts
from functions_app.services.doctor import examination
from functions_app.services.inventory.overview.findings import Overview, overview
from functions_app.services.people import access

router = Router(tags=["fleet"])
PATIENCE = 25.0  # seconds


class EndingLine(Schema):
    """A base whose support ends or has ended, and how many functions run on it; negative days are over."""

    base: str
    on: date
    days_left: int
    functions: int


class OverviewAnswer(Told):
    """How many functions there are of each kind; the lists are at /functions with the same words."""

    functions: int
    freshness: dict[str, int]
    broken: int
    endangered: int
    aliases_without_way_back: int
    inactive: int
    overdue: int
    moved: int
    unread: int
    unruled: int
    endings: list[EndingLine]


class PartLine(Schema):
    """A part of the installation, how it does, and what to do."""

    part: str
    state: str
    words: str
    next_step: str


class DoctorAnswer(Told):
    """What was looked at."""

    findings: list[PartLine]


@router.get("/overview", response=OverviewAnswer)
def get_overview(request: ApiRequest) -> dict[str, Any]:
    """What needs attention, and how fresh the fleet is."""
    access.require_reach(request.actor, None)
    found = overview(clock.now())
    return {"text": _told(found), "url": link(request, reverse("overview")), **_counts(found)}


def _told(found: Overview) -> str:
    stale = found.freshness[Freshness.STALE.value]
    return (
        f"{found.functions} functions: {stale} stale, {found.overdue.count} overdue, {found.broken.count} broken, "
        f"{found.endangered.functions} would lose their image."
    )


def _counts(found: Overview) -> dict[str, Any]:
    return {
        "functions": found.functions,
        "freshness": found.freshness,
        "endangered": found.endangered.functions,
        "aliases_without_way_back": found.stuck.count,
        "moved": found.drifted.count,
        "unread": found.partly_read.count,
        **{name: getattr(found, name).count for name in ("broken", "inactive", "overdue", "unruled")},
        "endings": [{name: getattr(each, name) for name in EndingLine.model_fields} for each in found.endings],
    }


@router.get("/doctor", response=DoctorAnswer)
def look_at_own_parts(request: ApiRequest) -> dict[str, Any]:
    """How Drydock's own parts do; for administrators."""
    _require_administrator(request)
    return _findings(request, examination.own())


@router.post("/doctor", response=DoctorAnswer)
def examine(request: ApiRequest) -> dict[str, Any]:
    """The same, and whether every account and registry answers; for administrators."""
    _require_administrator(request)
    return _findings(request, list(examination.everything(PATIENCE)))


def _require_administrator(request: ApiRequest) -> None:
    action = "doctor" if request.method == "POST" else ""  # who only looks does nothing
    words = "Only administrators see how the installation does."
    access.require_administrator(request.actor, words, action, "installation")


def _findings(request: ApiRequest, found: list[Finding]) -> dict[str, Any]:
    return {
        "text": f"{counts(found)}.",
        "url": link(request, reverse("doctor")),
        "findings": [one.as_json() for one in found],
    }
