"""Requests of a browser that are taken back again: what was answered, and which tables were written meanwhile."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

WRITES = re.compile(r'(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "(?P<table>\w+)"')
AUDIT = "functions_app_auditentry"
LAST_USED = "functions_app_browsersession"  # kept once a minute of whoever asks, whatever they ask


@dataclass(frozen=True)
class Asked:
    """One request as it was answered, and the tables that were written meanwhile."""

    answer: HttpResponse
    written: frozenset[str]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.answer.status_code

    @property
    def text(self) -> str:
        """What was answered; '' for a stream, which is not read."""
        return "" if self.answer.streaming else self.answer.content.decode()


def ask(cookies: str, method: str, address: str, data: Any = None, **more: Any) -> Asked:
    """One request with these cookies; nothing of it lasts. What breaks is answered with 500."""
    client = Client(raise_request_exception=False)
    client.cookies.load(cookies)  # anew: one of the routes signs out
    connection.queries_log.clear()  # it keeps so many, and warns
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        answer = getattr(client, method)(address, data, **more)
        transaction.set_rollback(True)
    written = (WRITES.match(query["sql"]) for query in queries.captured_queries)
    return Asked(answer, frozenset(found["table"] for found in written if found) - {LAST_USED})


def told(wrong: Iterable[str]) -> str:
    """What differs, a line each."""
    return "\n".join(sorted(set(wrong)))
