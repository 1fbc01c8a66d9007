"""`/people`: who may sign in and what they may, settled by administrators; and where they are signed in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from ninja import Router, Schema

from functions_app.api import matching
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Body, Format, Listed, Told, link
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.services.inventory.tables.people import people_table, session_table
from functions_app.services.people import people_list, person_groups, sessions
from functions_app.streams.table_download import table_answer

router = Router(tags=["people"])


class PersonLine(Schema):
    """Somebody who may sign in."""

    name: str
    group: str
    last_seen: datetime | None


class PersonList(Told):
    """Everybody who may sign in."""

    people: list[PersonLine]


class PersonAnswer(Told):
    """What somebody may; its ETag is what a change names in If-Match."""

    name: str
    group: str


class PersonBody(Body):
    """What somebody is to be, and nothing else; none may not sign in."""

    group: Literal["administrator", "approver", "operator", "viewer", "none"]


class SessionLine(Schema):
    """Where somebody is signed in."""

    id: UUID
    person: str
    since: datetime
    seen: datetime
    address: str
    browser: str


class SessionList(Told):
    """Where people are signed in, the last used first."""

    sessions: list[SessionLine]


@router.get("/people", response=PersonList)
def list_people(request: ApiRequest, format: Format = "") -> Listed:
    """Everybody who may sign in, with what they may; for administrators. As CSV who may not, too."""
    people_list.require_administrator(request.actor)
    if format:
        return table_answer(request, people_table())
    rows = people_list.everybody()
    return {
        "text": f"{counted(len(rows), 'person', 'people')}.",
        "url": link(request, reverse("people")),
        "people": [{"name": row.name, "group": row.group, "last_seen": row.last_seen} for row in rows],
    }


@router.get("/people/{name}", response=PersonAnswer)
def get_person(request: ApiRequest, response: HttpResponse, name: str) -> dict[str, Any]:
    """What somebody may; for administrators."""
    people_list.require_administrator(request.actor)
    return _told(request, response, _found(name))


@router.patch("/people/{name}", response=PersonAnswer)
def change_person(request: ApiRequest, response: HttpResponse, name: str, body: PersonBody) -> dict[str, Any]:
    """Have somebody be this and nothing else; who is shut out loses their sessions at once. For administrators."""
    people_list.require_administrator(request.actor, person_groups.ACTION, name)
    _found(name)
    with transaction.atomic():
        person_groups.hold_administrators()
        with matching.locked(User.objects.filter(username=name), request, _facts) as person:
            person_groups.require_another_administrator(person, body.group)
            person_groups.settle(person, body.group, request.actor)
    return _told(request, response, _found(name))


@router.post("/people/{name}/sign-out", response=Told)
def sign_out(request: ApiRequest, name: str) -> dict[str, Any]:
    """End all sessions of somebody; for administrators."""
    people_list.require_administrator(request.actor, "session.end-all", name)
    ended = sessions.end_all(_found(name), request.actor)
    return {"text": f"{name} is signed out everywhere ({ended}).", "url": link(request, reverse("sessions"))}


@router.get("/sessions", response=SessionList)
def list_sessions(request: ApiRequest, format: Format = "") -> Listed:
    """Where everybody is signed in; for administrators."""
    people_list.require_administrator(request.actor)
    if format:
        return table_answer(request, session_table(None))
    rows, beyond = sessions.listing(None), sessions.beyond()
    told = counted(len(rows), "session")
    return {
        "text": f"{told}; {beyond} that were used longer ago are not listed." if beyond else f"{told}.",
        "url": link(request, reverse("sessions")),
        "sessions": [
            {"id": row.mark, **{name: getattr(row, name) for name in SessionLine.model_fields if name != "id"}}
            for row in rows
        ],
    }


@router.post("/sessions/{uuid:mark}/end", response=Told)
def end_session(request: ApiRequest, mark: UUID) -> dict[str, Any]:
    """End a session; for administrators."""
    people_list.require_administrator(request.actor, "session.end", str(mark))
    sessions.end(mark, request.actor)
    return {"text": "The session has ended.", "url": link(request, reverse("sessions"))}


def _found(name: str) -> User:
    person = User.objects.prefetch_related("groups").filter(username=name).first()
    if person is None:
        raise DrydockError(Code.NOT_FOUND, "There is nobody of that name.", next_step="Look for them in /people.")
    return person


def _facts(person: User) -> Mapping[str, Any]:
    return {"name": person.get_username(), "group": people_list.group_of(person)}


def _told(request: ApiRequest, response: HttpResponse, person: User) -> dict[str, Any]:
    facts = _facts(person)
    matching.tell(response, facts)
    what = "may not sign in" if facts["group"] == people_list.NONE else f"is {facts['group']}"
    return {"text": f"{facts['name']} {what}.", "url": link(request, reverse("people")), **facts}
