"""Who may watch: asked when a stream opens, and again while it is open."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from functions_app.models import BrowserSession, Run
from functions_app.services.people import access, sessions
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


def signed_in(watching: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Which of these (session, person) are still good: not over, and of somebody who may still look.

    A password that was changed since ends them. Two queries.
    """
    keys, people = {key for key, _ in watching}, {person for _, person in watching}
    rows = BrowserSession.objects.in_bulk(keys)
    active = {person.pk: person for person in active_people(people) if access.may_look(Actor(person))}
    return {
        (key, person)
        for key, person in watching
        if person in active and key in rows and sessions.good_for(rows[key], active[person])
    }
