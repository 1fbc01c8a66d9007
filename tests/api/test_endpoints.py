"""Who may do what over the API: every endpoint for every role and every scope, asked of the real resolver."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from functions_app import clock
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.tokens import TokenScope
from functions_app.models import ChatLink, SavedView
from functions_app.services.changes import smoke
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from tests.api.every_endpoint import ENDPOINTS, MAY, Endpoint, served
from tests.asking import AUDIT, Asked, ask, told
from tests.conftest import Valkey
from tests.every_route import Places, furnish
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

ROLES = ("stranger", "viewer", "operator", "approver", "administrator")
BOOKKEEPING = {"functions_app_apitoken", "functions_app_keptanswer"}


@pytest.fixture
def people(superuser: User, operator: User, approver: User, viewer: User) -> dict[str, User]:
    """Somebody of each role."""
    stranger = User.objects.create_user("stan", password="a long password")
    return dict(zip(ROLES, (stranger, viewer, operator, approver, superuser), strict=True))


@pytest.fixture
def places(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Places:
    """A furnished installation."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    smoke.keep(stage.function, Smoke(), Actor(operator))
    return furnish(stage, operator)


def test_every_endpoint_has_a_line_and_every_line_an_endpoint() -> None:
    assert sorted(served()) == sorted(ENDPOINTS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_answered_as_the_table_says_with_each_scope_and_what_is_refused_changes_nothing(
    places: Places, people: dict[str, User], role: str, unhurried: None
) -> None:
    wrong = set()
    for scope in TokenScope:
        bot = tokens.make(Wanted(scope, [scope]), Actor(people[role]))
        for (method, name), line in ENDPOINTS.items():
            asked = sent(method, name, line, bot, places)
            through = role in MAY[line.who] and scope in line.scopes
            wanted = line.status if through else line.refused
            if asked.status != wanted:
                wrong.add(f"{method} {name} as {role} with {scope}: {asked.status}, not {wanted}: {asked.text[:200]}")
            elif not through and asked.written - {AUDIT} - BOOKKEEPING:
                wrong.add(f"{method} {name} as {role} with {scope}: writes {asked.written}")
            elif not through and method != "GET" and role != "stranger" and AUDIT not in asked.written:
                wrong.add(f"{method} {name} as {role} with {scope}: no entry in the audit")
    assert told(wrong) == ""


def sent(method: str, name: str, line: Endpoint, bot: Made, places: Places) -> Asked:
    """One request, taken back afterwards."""
    headers = {"Authorization": f"Bearer {bot.text}"}
    more: dict[str, Any] = {"headers": headers}
    if method not in ("GET", "DELETE"):
        more |= {"data": json.dumps(line.body or _body(name, places)), "content_type": "application/json"}
    return ask("", method.lower(), address(method, name, line, bot, places) + line.query, **more)


def _body(name: str, places: Places) -> dict[str, Any]:
    """What is sent of things that are there."""
    known = {"read_release_files": {"releases": places.releases}, "make_patch_list": {"base": places.keys["stream"]}}
    return known.get(name, {})


def link_of(bot: Made) -> int:
    """A chat user whom this bot hears, and who is its person."""
    who = {"person": bot.row.person, "since": clock.now()}
    return ChatLink.objects.get_or_create(token=bot.row, chat_user="U2", defaults=who)[0].pk


def view_of(bot: Made) -> int:
    """A view that this bot's person keeps."""
    values = {"changed_at": clock.now()}
    return SavedView.objects.get_or_create(person=bot.row.person, name="its own", defaults=values)[0].pk


def address(method: str, name: str, line: Endpoint, bot: Made, places: Places) -> str:
    """Where an endpoint is, of things that are there."""
    keys = {
        "": [],
        "its own": [bot.row.pk],
        "its link": [link_of(bot)],
        "its view": [view_of(bot)],
        "signal": [places.keys["run"], "cancel"],
    }
    named = keys[line.thing] if line.thing in keys else [places.keys[line.thing]]
    path = served()[method, name]
    for key in named:
        path = re.sub(r"\{\w+\}", str(key), path, count=1)
    return path
