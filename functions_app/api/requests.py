"""A request as endpoints get it: whose it is, and what it says."""

from typing import Any

from django.http import HttpRequest

from functions_app.models import ApiToken
from functions_app.services.people.actor import Actor


class ApiRequest(HttpRequest):
    """A request whose token was recognised, and whose body was read."""

    actor: Actor
    token: ApiToken
    document: dict[str, Any]
