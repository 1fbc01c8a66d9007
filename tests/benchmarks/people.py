"""Somebody who is signed in, and a run to watch."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from functions_app.domain.runs import Kind, Status
from functions_app.models import Run
from functions_app.services import access


def session_cookie() -> str:
    """The Cookie header of a signed-in operator."""
    user, created = get_user_model().objects.get_or_create(username="bench")
    if created:
        user.groups.add(Group.objects.get(name=access.OPERATOR))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def active_run() -> Run:
    """A run that no worker will touch: it is claimed, and its lease is far away."""
    now = timezone.now()
    return Run.objects.create(
        kind=Kind.SYNC,
        status=Status.RUNNING,
        title="A run to watch",
        actor_name="bench",
        created_at=now,
        started_at=now,
        lease_owner="bench",
        lease_until=now + timezone.timedelta(hours=1),
    )
