"""What a filter of the functions list asks for, as it is read from an address, or from a text that holds one."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from functions_app.domain.fleet.tags import listed_tags
from functions_app.domain.text import storable
from functions_app.services.inventory.fleet.list_filter import lost, read_filter


@pytest.mark.parametrize("name", ["region", "state", "freshness", "base", "alias", "runtime", "owner", "tool", "tag"])
def test_no_filter_holds_what_a_database_refuses_however_it_is_written(name: str) -> None:
    """The address of a page is looked at before; a filter that is sent within a form or a body is not."""
    found = getattr(read_filter(QueryDict(f"{name}=a%3D%00%FF"), ()), name)
    assert "\0" not in "".join(found)


def test_a_tag_is_found_by_the_whole_of_it_where_it_is_kept_cut() -> None:
    (kept,) = listed_tags({"team": storable("a\u2028" * 128)})
    for given in (kept, "team=" + "a\u2028" * 128):
        assert read_filter(QueryDict(urlencode({"tag": given})), ()).tag == (kept,)


@pytest.mark.parametrize(("name", "most"), [("alias", 1), ("tag", 10), ("owner", 50)])
def test_what_is_asked_beyond_what_is_heard_is_said(name: str, most: int) -> None:
    """Of an eleventh tag nobody hears: more functions would be found than have it, and be chosen."""
    values = [f"{name}=a={number}" for number in range(most + 1)]
    assert not lost("&".join([*values[:most], values[0]]), ())
    (said,) = lost("&".join(values), ())
    assert said.startswith(f"“a={most}” is left out: the list is filtered by ")
