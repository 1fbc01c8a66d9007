"""Who may watch: asked when a stream opens, and again while it is open."""

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from functions_app.models import BrowserSession, Run
from functions_app.services.people import access, living_tokens, sessions
from functions_app.services.people.actor import Actor
from functions_app.services.people.backend import active_people


def admit(cookies: str, run_id: int | None) -> tuple[int, str, bool]:
    """Who is in these cookies (0: nobody), by which session, and whether the run exists (None: the fleet does)."""
    request = HttpRequest()
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key or "\0" in key:
        return 0, "", False
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    person = get_user(request)
    if not isinstance(person, User) or not access.may_look(Actor(person)):
        return 0, "", False
    return person.pk, key, run_id is None or Run.objects.filter(pk=run_id).exists()


@dataclass(frozen=True)
class Pass:
    """By what somebody watches: the session of a browser, or a token."""

    person: int = 0
    session: str = ""
    token: str = ""  # its hash: one that was rotated is another


NOBODYS = Pass()  # of an answer that is held: its token is asked for again before it is given


def still_good(passes: set[Pass]) -> set[Pass]:
    """Which of these still let somebody look: not over, and of somebody who may.

    A password that was changed since ends a session, another text a token. Two queries, three with tokens.
    """
    keys = {each.session for each in passes if each.session}
    rows = BrowserSession.objects.in_bulk(keys)
    active = {person.pk: person for person in active_people({each.person for each in passes if each.session})}
    living = living_tokens.that_look({each.token for each in passes if each.token})

    def is_good(one: Pass) -> bool:
        if one.token:
            return one.token in living
        person, row = active.get(one.person), rows.get(one.session)
        return person is not None and row is not None and _may_go_on(row, person)

    return set(filter(is_good, passes))


def _may_go_on(row: BrowserSession, person: User) -> bool:
    return access.may_look(Actor(person)) and sessions.good_for(row, person)
