"""Notes that a session is used, so that it ends when nobody uses it."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import Error
from django.http import HttpRequest, HttpResponse

from functions_app.services.engine.database_state import recent, trouble_of
from functions_app.services.people import sessions

BY_ITSELF = "Drydock-Live"  # the header of a page that reads itself anew (static/live.js): nobody may sit before it


class LastSeen:
    """Middleware, behind the sign-in. A page is shown also while nothing can be stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's door."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Django's hook: by now it is known whose the request is."""
        if BY_ITSELF in request.headers or not isinstance(request.user, User) or recent.hinders(writes=True):
            return
        try:
            sessions.used(request.session, address_of(request), request.headers.get("User-Agent", ""))
        except Error as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            recent.found(trouble, "a session's last use", error)


def address_of(request: HttpRequest) -> str:
    """The other end of the connection; uvicorn takes it from X-Forwarded-For of the proxies it was told to trust."""
    return str(request.META.get("REMOTE_ADDR", ""))
