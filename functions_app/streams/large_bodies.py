"""Whether a large body may be taken in: only where one is due, from who is signed in and may do what it is sent for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.models import User
from django.db import Error, close_old_connections
from django.urls import Resolver404, resolve

from functions_app.domain.database_troubles import AWAY
from functions_app.domain.errors import Code, DrydockError
from functions_app.services.engine.database_state import recent, trouble_of
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.streams.sign_in import admit

DOORS = frozenset({"function-invoke", "invoke-check"})  # names of routes
THREADS = 2  # that ask the database who is there


class LargeBodies:
    """Says who may send much; asked for the few requests that announce or bring more than a form."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="large-bodies")

    async def may_come(self, scope: dict[str, Any]) -> bool:
        """Whether an operator sends it to a door that takes much. Raises UNAVAILABLE: nobody can be asked for."""
        if scope["method"] != "POST" or not is_door(str(scope["path"]).removeprefix(scope.get("root_path", ""))):
            return False
        cookies = next((value for name, value in scope["headers"] if name == b"cookie"), b"").decode("latin-1")
        if not cookies:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._pool, _is_operator, cookies)


def is_door(path: str) -> bool:
    """Whether a large body is due at this path."""
    try:
        return resolve(path).view_name in DOORS
    except Resolver404:
        return False


def _is_operator(cookies: str) -> bool:
    close_old_connections()
    try:
        person = User.objects.filter(pk=admit(cookies, None)[0]).first()
        return person is not None and access.is_operator(Actor.in_browser(person))
    except Error as error:
        trouble = trouble_of(error) or AWAY
        recent.found(trouble, "a large body", error)
        raise DrydockError(Code.UNAVAILABLE, trouble.message, next_step=trouble.next_step) from error
    finally:
        close_old_connections()
