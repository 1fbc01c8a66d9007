"""A list whole: `?format=csv` or `?format=json` at its own address, so that its filters are those of the page."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, StreamingHttpResponse

from functions_app.services.inventory.tables.table import Form, Table

FORMAT, OF = "format", "of"
USERS = "users"
FORMS = {form.value: form for form in Form}
_PLACE = "drydock.table"  # in the ASGI scope: where a view puts what is to be sent from here


def wants_table(request: HttpRequest) -> bool:
    """Whether a list is asked for whole."""
    return request.GET.get(FORMAT) in FORMS


def wants_users(request: HttpRequest) -> bool:
    """Whether that is, of a page with several, the list of who uses what it shows."""
    return request.GET.get(OF) == USERS


def table_answer(request: HttpRequest, table: Table) -> StreamingHttpResponse:
    """The table as a file; within a web server its pieces are sent by `streams.downloads`."""
    form = FORMS.get(request.GET.get(FORMAT, ""), Form.CSV)
    place: list[Iterator[bytes]] | None = request.META.get("asgi.scope", {}).get(_PLACE)
    named = f'attachment; filename="{table.name}.{form}"'
    headers = {"Content-Disposition": named, "Cache-Control": "private, no-store"}
    pieces = table.pieces(form)
    if request.method == "GET" and place is not None:
        place.append(pieces)
    sent = pieces if request.method == "GET" and place is None else ()
    return StreamingHttpResponse(sent, content_type=form.content_type, headers=headers)


class TablePlace:
    """Where a request's table is put, and taken from."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._put: list[Iterator[bytes]] = []
        self.scope = {**scope, _PLACE: self._put}

    @staticmethod
    def may_be_asked(scope: dict[str, Any]) -> bool:
        """Whether a request may ask for one: as Django reads its address."""
        query = scope.get("query_string", b"").decode("latin-1")
        return scope["method"] in ("GET", "HEAD") and any(
            name == FORMAT and value in FORMS for name, value in parse_qsl(query)
        )

    def pieces(self) -> Iterator[bytes] | None:
        """The pieces of the table that was put here."""
        return self._put[0] if self._put else None
