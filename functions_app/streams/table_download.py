"""A list as CSV: `?format=csv` at its own address, so that its filters are those of the page."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, StreamingHttpResponse

from functions_app.services.inventory.tables.table import Table

FORMAT, CSV = "format", "csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
_PLACE = "drydock.table"  # in the ASGI scope: where a view puts what is to be sent from here


def wants_table(request: HttpRequest) -> bool:
    """Whether a list is asked for as CSV."""
    return request.GET.get(FORMAT) == CSV


def table_answer(request: HttpRequest, table: Table) -> StreamingHttpResponse:
    """The table as a file; within a web server its pieces are sent by `streams.downloads`."""
    place: list[Table] | None = request.META.get("asgi.scope", {}).get(_PLACE)
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.csv"', "Cache-Control": "private, no-store"}
    pieces = table.pieces() if request.method == "GET" and place is None else ()
    if request.method == "GET" and place is not None:
        place.append(table)
    return StreamingHttpResponse(pieces, content_type=CONTENT_TYPE, headers=headers)


class TablePlace:
    """Where a request's table is put, and taken from."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._tables: list[Table] = []
        self._pieces: Iterator[bytes] | None = None
        self.scope = {**scope, _PLACE: self._tables}

    @staticmethod
    def may_be_asked(scope: dict[str, Any]) -> bool:
        """Whether a request may ask for one: as Django reads its address."""
        query = scope.get("query_string", b"").decode("latin-1")
        return scope["method"] in ("GET", "HEAD") and (FORMAT, CSV) in parse_qsl(query)

    def pieces(self) -> Iterator[bytes] | None:
        """The pieces of the table that was put here."""
        if self._pieces is None and self._tables:
            self._pieces = self._tables[0].pieces()
        return self._pieces
