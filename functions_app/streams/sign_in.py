"""Who may watch: asked when a stream opens, and again while it is open."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.utils import timezone

from functions_app.models import Run


def admit(cookies: str, run_id: int | None) -> tuple[int, str, bool]:
    """Who is in these cookies (0: nobody), by which session, and whether the run exists (None: the fleet does)."""
    request = HttpRequest()
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key or "\0" in key:
        return 0, "", False
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    person = get_user(request)
    if not person.is_authenticated:
        return 0, "", False
    return person.pk, key, run_id is None or Run.objects.filter(pk=run_id).exists()


def signed_in(sessions: set[str], people: set[int]) -> tuple[set[str], set[int]]:
    """Which of these sessions are still good, and which of these people may still sign in. Two queries."""
    good = Session.objects.filter(session_key__in=sessions, expire_date__gt=timezone.now())  # noqa: TID251 - Django set it
    active = User.objects.filter(pk__in=people, is_active=True)
    return set(good.values_list("session_key", flat=True)), set(active.values_list("pk", flat=True))
