"""`If-Match`: a change goes through only where what it changes is still what its sender has read.

An ETag has two parts, "state.content": the first is of what can be edited, and is what If-Match compares; the second of
the whole answer, so that If-None-Match tells counts that were read anew.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from functions_app.domain.errors import Code, DrydockError

HEADER = "If-Match"
LENGTH = 2_000  # of the header
# What looks at it.
ENDPOINTS = {
    *("change_policy", "remove_policy", "change_base", "change_account", "change_person"),
    *("keep_smoke_test", "remove_smoke_test", "rotate_token", "revoke_token"),
}
_TAG = re.compile(r'(W/)?"([^"]*)"')
Facts = Mapping[str, Any]
Row = TypeVar("Row", bound=Model)


def state_of(facts: Facts) -> str:
    """What stands for what can be edited of something, as it is."""
    text = json.dumps(sorted(facts.items()), default=str)
    return sha256(f"{settings.SECRET_KEY} {text}".encode()).hexdigest()[:20]


def tell(response: HttpResponse, facts: Facts) -> None:
    """Give an answer the ETag of what can be edited."""
    response["ETag"] = f'"{state_of(facts)}"'


def require(request: HttpRequest, facts: Facts) -> None:
    """Raise CHANGED where the request names another state than this; one that names none may always."""
    given = request.headers.get(HEADER)
    if given is None or given.strip() == "*":
        return
    named = {tag.partition(".")[0] for weak, tag in _TAG.findall(given[:LENGTH]) if not weak}
    if state_of(facts) not in named:
        raise DrydockError(
            Code.CHANGED,
            "Somebody changed it since you have read it. Nothing was changed.",
            next_step="Read it again, and send the change with the ETag that it has then.",
        )


@contextmanager
def locked(rows: QuerySet[Row], request: HttpRequest, facts: Callable[[Row], Facts]) -> Iterator[Row]:
    """The one row of these, which nobody else changes before this block ends: of two changes of one state one is made.

    Who may do it is asked before, since what is audited in here is lost where it fails. Raises NOT_FOUND, CHANGED.
    """
    with transaction.atomic():
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            raise DrydockError(Code.NOT_FOUND, "There is no such thing here.", next_step="Look for it in the list.")
        require(request, facts(row))
        yield row
