"""Views of the functions list: kept, shared, taken away, opened with."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.models import AuditEntry, SavedView
from tests.factories import make_account, make_function

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
STALE = "freshness=stale"
VIEWS = "/functions/views/"


def keep(client: Client, person: User, name: str = "Stale", query: str = STALE, **form: str) -> int:
    """Keep a view as this person; the status."""
    client.force_login(person)
    return client.post(VIEWS, {"name": name, "query": query, **form}).status_code


def test_a_view_is_kept_and_leads_to_its_filter(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.post(VIEWS, {"name": "Stale", "query": f"{STALE}&page=3&format=csv"})
    assert answer.headers["Location"] == f"/functions/?{STALE}"
    text = client.get(VIEWS).content.decode()
    assert f'href="/functions/?{STALE}"' in text
    assert "Freshness: Stale" in text


def test_the_same_name_takes_the_place_of_ones_own_view(client: Client, viewer: User) -> None:
    keep(client, viewer)
    keep(client, viewer, query="state=Failed")
    assert [view.query for view in SavedView.objects.all()] == ["state=Failed"]


def test_what_is_not_shared_is_seen_by_nobody_else(client: Client, viewer: User, operator: User) -> None:
    keep(client, operator)
    client.force_login(viewer)
    assert "Stale</a>" not in client.get(VIEWS).content.decode()
    assert client.post(f"{VIEWS}{SavedView.objects.get().pk}/remove/").status_code == 404


def test_operators_share_and_others_do_not_each_in_the_audit(client: Client, viewer: User, operator: User) -> None:
    assert keep(client, viewer, shared="on") == 403
    assert keep(client, operator, shared="on") == 302
    assert [entry.result for entry in AuditEntry.objects.order_by("pk")] == ["refused: not an operator", "shared"]
    client.force_login(viewer)
    assert "shared with everybody" in client.get(VIEWS).content.decode()


def test_a_shared_view_is_taken_away_by_whose_it_is_or_an_administrator(
    client: Client, viewer: User, operator: User, superuser: User
) -> None:
    keep(client, operator, shared="on")
    pk = SavedView.objects.get().pk
    client.force_login(viewer)
    assert client.post(f"{VIEWS}{pk}/remove/").status_code == 403
    client.force_login(superuser)
    assert client.post(f"{VIEWS}{pk}/remove/").status_code == 302
    assert not SavedView.objects.exists()
    assert AuditEntry.objects.latest("pk").action == "view.remove"


def test_the_list_opens_with_the_view_that_is_the_default_and_all_is_a_link_away(client: Client, viewer: User) -> None:
    make_function(make_account(), "one", freshness="current")
    keep(client, viewer, default="on")
    assert client.get("/functions/").headers["Location"] == f"/functions/?{STALE}"
    assert 'class="clear" href="/functions/?view=all"' in client.get(f"/functions/?{STALE}").content.decode()
    everything = client.get("/functions/?view=all")
    assert [row.name for row in everything.context["rows"]] == ["one"]
    assert "is not a filter" not in everything.content.decode()
    client.post(f"{VIEWS}default/")
    assert client.get("/functions/").status_code == 200


def test_without_its_last_filter_the_list_shows_all_and_not_the_default_again(client: Client, viewer: User) -> None:
    make_function(make_account(), "one", freshness="stale")
    keep(client, viewer, default="on")
    (_, _, without), *others = client.get(f"/functions/?{STALE}").context["chosen"]
    assert (without, others) == ("?view=all", [])
    assert client.get(f"/functions/{without}").context["chosen"] == []


def test_a_view_that_is_no_longer_shared_is_nobody_elses_default(client: Client, viewer: User, operator: User) -> None:
    keep(client, operator, shared="on", default="on")
    client.force_login(viewer)
    client.post(f"{VIEWS}default/", {"view": SavedView.objects.get().pk})
    assert client.get("/functions/").status_code == 302
    keep(client, operator)
    assert client.get("/functions/").status_code == 302
    client.force_login(viewer)
    assert client.get("/functions/").status_code == 200


def test_a_view_keeps_columns_for_all_who_open_it_until_they_choose_their_own(
    client: Client, viewer: User, operator: User
) -> None:
    make_function(make_account(), "one")
    client.force_login(operator)
    client.post("/functions/look/", {"column": ["alias", "tool"]})
    assert "With the columns of your list: Alias, Tool" in client.get(f"{VIEWS}?of={STALE}").content.decode()
    keep(client, operator, shared="on", columns="on")
    client.force_login(viewer)
    assert "Freshness: Stale; columns: Alias, Tool" in client.get(VIEWS).content.decode()
    view = client.get("/functions/", query_params={"freshness": "unknown", "column": ["alias", "tool"]})
    assert [heading.column for heading in view.context["headings"]] == ["fn", "alias", "tool"]
    assert view.context["back"] == "freshness=unknown&column=alias&column=tool"
    own = client.post("/functions/look/", {"column": "state", "back": view.context["back"]})
    assert own.headers["Location"] == "/functions/?freshness=unknown"


def test_a_column_that_is_none_is_said(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert "“price” is not a value of column" in client.get("/functions/?column=price").content.decode()


@pytest.mark.parametrize("query", ["&", "%", "?", "=", "page=2"])
def test_no_default_leads_round_in_a_circle(client: Client, viewer: User, query: str) -> None:
    keep(client, viewer, query=query, default="on")
    assert client.get("/functions/", follow=True).status_code == 200


def test_a_view_whose_filter_is_no_more_says_so(client: Client, viewer: User) -> None:
    keep(client, viewer, query="account=sold&colour=red")
    text = client.get(VIEWS).content.decode()
    assert "“sold” is not a value of account" in text
    assert "“colour” is not a filter of this list" in text


@pytest.mark.parametrize("name", ["", " ", "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"])
def test_a_view_without_a_name_or_with_a_secret_is_refused_with_what_was_typed(
    client: Client, viewer: User, name: str
) -> None:
    assert keep(client, viewer, name=name) == 400
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    "query", ["search=%00", "search=%E2%80%AE", "search=postgres%3A%2F%2Folga%3Ahunter2hunter2%40db"]
)
def test_a_filter_is_read_for_what_can_t_be_kept_as_it_is_meant_and_not_as_it_is_encoded(
    client: Client, viewer: User, query: str
) -> None:
    assert keep(client, viewer, query=query) == 400
    assert not SavedView.objects.exists()
