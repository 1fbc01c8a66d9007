"""Functions that a bot chooses, and views that it keeps: by the words of the page, and those alone."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import Function, Run, SavedView, Selection
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_function

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def functions(valkey: Valkey) -> list[Function]:
    """Three of them, two stale."""
    account, fresh = make_account(), {"orders": "stale", "billing": "stale", "search": "current"}
    return [make_function(account, name, freshness=freshness) for name, freshness in fresh.items()]


def post(person: User, wanted: Wanted, path: str, body: dict[str, Any]) -> Any:
    """What a bot of this person is answered."""
    bot = Client(headers={"Authorization": f"Bearer {tokens.make(wanted, Actor(person)).text}"})
    return bot.post(f"/api/v1{path}", body, content_type="application/json")


def test_what_a_filter_finds_is_frozen_in_its_order(operator: User, functions: list[Function]) -> None:
    answer = post(operator, Wanted("reader", ["read"]), "/selections", {"query": "freshness=stale&sort=-name"})
    assert (answer.status_code, answer.json()["functions"]) == (201, [functions[0].pk, functions[1].pk])


def test_a_filter_that_is_not_known_chooses_nothing_in_place_of_all(operator: User, functions: list[Function]) -> None:
    answer = post(operator, Wanted("reader", ["read"]), "/selections", {"query": "freshnes=stale"})
    assert answer.status_code == 400
    assert "“freshnes” is not a filter of this list; freshness is one." in answer.json()["detail"]
    assert not Selection.objects.exists()


@pytest.mark.parametrize("by_keys", [True, False])
def test_a_narrow_token_chooses_within_its_reach_alone(
    operator: User, functions: list[Function], by_keys: bool
) -> None:
    body = {"functions": [function.pk for function in functions]} if by_keys else {"query": ""}
    answer = post(operator, Wanted("narrow", ["read"], functions=["bill*"]), "/selections", body)
    assert answer.json()["functions"] == [functions[1].pk]


def test_a_narrow_token_is_told_of_no_account_beyond_its_reach(operator: User, functions: list[Function]) -> None:
    make_account("secret-project")
    own = functions[0].account
    narrow = tokens.make(Wanted("narrow", ["read"], accounts=[own.account_id]), Actor(operator)).text
    bot = Client(headers={"Authorization": f"Bearer {narrow}"})
    answer = bot.post("/api/v1/selections", {"query": "account=sold"}, content_type="application/json")
    assert own.name in answer.json()["detail"]
    assert "secret-project" not in answer.json()["detail"]
    SavedView.objects.create(person=operator, name="x", query="account=secret-project", changed_at=clock.now())
    assert bot.get("/api/v1/views").status_code == 404


def test_a_view_keeps_columns_and_says_what_of_it_is_not_there(operator: User, valkey: Valkey) -> None:
    query = "account=sold&column=alias&column=tool"
    answer = post(operator, Wanted("keeper", ["read", "admin"]), "/views", {"name": "Sold", "query": query})
    view = answer.json()["about"]
    assert (view["query"], view["lost"]) == (query, ["“sold” is not a value of account."])


def test_what_is_deleted_since_stays_chosen_as_on_the_page(operator: User, functions: list[Function]) -> None:
    made = post(operator, Wanted("reader", ["read"]), "/selections", {"query": "sort=name"}).json()
    Function.objects.filter(pk=functions[0].pk).update(gone_at=clock.now())
    token = tokens.make(Wanted("another", ["read"]), Actor(operator)).text
    told = Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1/selections/{made['id']}").json()
    assert told["functions"] == made["functions"]


def test_a_narrow_token_starts_no_reading_that_it_could_not_follow(operator: User, functions: list[Function]) -> None:
    made = post(operator, Wanted("reader", ["read"]), "/selections", {"query": ""}).json()
    narrow = Wanted("narrow", ["read", "deploy:nonprod"], functions=["bill*"])
    assert post(operator, narrow, f"/selections/{made['id']}/syncs", {}).status_code == 404
    assert not Run.objects.exists()
