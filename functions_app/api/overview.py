"""`/overview`: what needs attention, counted. `/doctor`: what of the installation works."""

from dataclasses import fields
from datetime import date
from typing import Any

from django.urls import reverse
from ninja import Field, Router, Schema

from functions_app import clock
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Format, Listed, Told, link
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.causes import Cause, by_cause
from functions_app.domain.health.findings import Finding, counts
from functions_app.domain.text import counted
from functions_app.services.doctor import examination
from functions_app.services.inventory.beginning import beginning
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.overview.findings import Overview, overview
from functions_app.services.inventory.overview.unread import unread
from functions_app.services.inventory.tables.settings import finding_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer

router = Router(tags=["fleet"])
PATIENCE = 25.0  # seconds
NAMED = 20  # things that a cause names


class EndingLine(Schema):
    """A base whose support ends or has ended, and how many functions run on it; negative days are over."""

    base: str
    on: date
    days_left: int
    functions: int


class BeginningLine(Schema):
    """How far the first reading of accounts and regions came, and what is to be done; `run` is what reads."""

    stage: str
    title: str
    text: str
    next_step: str
    run: int | None
    done: int
    total: int


class CauseLine(Schema):
    """Why things of one kind could not be read: how many, the first of them, and what to do about it."""

    of: str = Field(description="scopes (accounts and regions), repositories, images, streams, forecasts")
    problem: str
    code: str
    aws_code: str
    request_id: str
    next_step: str
    count: int
    names: list[str]


class UnreadAnswer(Told):
    """What could not be read, by cause."""

    causes: list[CauseLine]


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
    beginning: BeginningLine | None = Field(description="null once every account and region was read")


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
    now = clock.now()
    found = overview(now)
    first = beginning(fleet_status(now), found.functions)
    told = {name: getattr(first, name) for name in BeginningLine.model_fields} if first else None
    return {"text": _told(found), "url": link(request, reverse("overview")), **_counts(found), "beginning": told}


@router.get("/unread", response=UnreadAnswer)
def get_unread(request: ApiRequest) -> dict[str, Any]:
    """What could not be read, and why: accounts and regions, repositories, images, base streams, forecasts."""
    access.require_reach(request.actor, None)
    now = clock.now()
    missing = unread(overview(now).sources)
    failed = by_cause(
        (f"{scope.account} {scope.region}", scope.problem) for scope in fleet_status(now).scopes if scope.problem
    )
    causes = [_cause("scopes", each) for each in failed]
    for kind in (each.name for each in fields(missing)):
        causes += [_cause(kind, each) for each in getattr(missing, kind).causes]
    things = sum(row["count"] for row in causes)
    return {
        "text": f"{counted(things, 'thing')} could not be read, for {counted(len(causes), 'reason')}.",
        "url": link(request, reverse("overview")),
        "causes": causes,
    }


def _cause(kind: str, cause: Cause) -> dict[str, Any]:
    problem = cause.problem
    told = {name: getattr(problem, name) for name in ("aws_code", "request_id", "next_step")}
    names = list(cause.names[:NAMED])
    return {
        **told,
        "of": kind,
        "problem": problem.message,
        "code": problem.code.value,
        "count": cause.count,
        "names": names,
    }


def _told(found: Overview) -> str:
    stale = found.freshness[Freshness.STALE.value]
    return (
        f"{counted(found.functions, 'function')}: {stale} stale, {found.overdue.count} overdue, "
        f"{found.broken.count} broken, {found.endangered.functions} would lose their image."
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
def look_at_own_parts(request: ApiRequest, format: Format = "") -> Listed:
    """How Drydock's own parts do; for administrators."""
    _require_administrator(request)
    if format:
        return table_answer(request, finding_table(examination.own()))
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
