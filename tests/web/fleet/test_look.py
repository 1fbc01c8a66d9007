"""Columns and density of the functions list: a person's own, and kept."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.domain.fleet.grid import DEFAULT
from tests.factories import make_account, make_function

pytestmark = pytest.mark.django_db


def shown(client: Client) -> list[str]:
    """The columns beside the function."""
    return [heading.column for heading in client.get("/functions/").context["headings"]][1:]


def test_what_somebody_chooses_is_kept_for_them_and_nobody_else(viewer: User, operator: User) -> None:
    make_function(make_account(), "one", owner="team-red", managed_by="terraform")
    mine, theirs, later = Client(), Client(), Client()
    mine.force_login(viewer)
    theirs.force_login(operator)
    later.force_login(viewer)

    chosen = {"column": ["tool", "alias", "password"], "density": "comfortable", "back": "search=one&rows=functions"}
    assert mine.post("/functions/look/", chosen)["Location"] == "/functions/?search=one&rows=functions"

    assert shown(later) == ["alias", "tool"]
    assert shown(theirs) == [*DEFAULT]
    text = later.get("/functions/").content.decode()
    assert 'class="tbl cards functions comfortable"' in text
    assert "terraform" in text
    assert "team-red</span>" not in text


@pytest.mark.parametrize("back", ["", "https://elsewhere.example/", "//elsewhere.example", "a=b\r\nSet-Cookie: x=y"])
def test_the_way_back_leads_nowhere_but_to_the_list(client: Client, viewer: User, back: str) -> None:
    client.force_login(viewer)
    answer = client.post("/functions/look/", {"back": back})
    assert answer["Location"].partition("?")[0] == "/functions/"
    assert "\n" not in answer["Location"]


def test_without_a_token_nothing_is_kept(viewer: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(viewer)
    assert strict.post("/functions/look/", {"column": "tool"}).status_code == 403
    assert shown(strict) == [*DEFAULT]


def test_a_choice_costs_no_query(
    client: Client, viewer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_function(make_account(), "one")
    client.force_login(viewer)
    client.post("/functions/look/", {"column": "tool"})
    with django_assert_num_queries(5):
        client.get("/functions/")
