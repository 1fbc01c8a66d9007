"""Which requests may ask for a list as CSV, and what they are answered."""

import pytest
from django.test import RequestFactory

from functions_app.services.inventory.tables.table import Table
from functions_app.streams.table_download import TablePlace, table_answer


def a_table() -> Table:
    return Table("runs", ("id",), [[(1,), (2,)]])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", [b"format=csv", b"format=c%73v", b"%66ormat=csv", b"a=b&format=%63sv&c"])
def test_however_its_address_is_written_one_is_sent_from_here(method: str, query: bytes) -> None:
    assert TablePlace.may_be_asked({"method": method, "query_string": query})


@pytest.mark.parametrize(
    ("method", "query"), [("GET", b""), ("GET", b"a=format=csv"), ("GET", b"informat=csv"), ("POST", b"format=csv")]
)
def test_whatever_asks_for_none_is_not(method: str, query: bytes) -> None:
    assert not TablePlace.may_be_asked({"method": method, "query_string": query})


def test_who_asks_for_the_head_alone_has_no_row_read() -> None:
    place = TablePlace({"method": "HEAD", "query_string": b"format=csv"})
    for scope in ({}, place.scope):
        request = RequestFactory().head("/runs/?format=csv")
        request.META["asgi.scope"] = scope
        answer = table_answer(request, a_table())
        assert (answer.status_code, b"".join(answer)) == (200, b"")
    assert place.pieces() is None


def test_who_asks_for_it_has_it_sent_from_here_within_a_web_server_and_by_django_elsewhere() -> None:
    place = TablePlace({"method": "GET", "query_string": b"format=csv"})
    request = RequestFactory().get("/runs/?format=csv")
    request.META["asgi.scope"] = place.scope
    assert b"".join(table_answer(request, a_table())) == b""
    pieces = place.pieces()
    assert pieces is not None
    elsewhere = table_answer(RequestFactory().get("/runs/?format=csv"), a_table())
    assert b"".join(pieces) == b"".join(elsewhere) == b"id\r\n1\r\n2\r\n"
