"""How many queries a list of the API costs: six at most, its token among them, however long it is."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from functions_app.domain.tokens import TokenScope
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from tests.api.every_endpoint import ADMINISTERS, ENDPOINTS
from tests.benchmarks.api_lists import HEAVIEST, lists, ways
from tests.conftest import Valkey
from tests.every_route import Places, furnish
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

MOST = 6
LISTS = sorted(name for method, name in ENDPOINTS if method == "GET" and name.startswith("list_"))


@pytest.fixture
def bot(superuser: User) -> Made:
    """An administrator's, who is shown everything."""
    return tokens.make(Wanted("bot", list(TokenScope)), Actor(superuser))


@pytest.fixture
def places(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Places:
    """A furnished installation, in which no token has asked for anything yet."""
    valkey.flush()
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    return furnish(stage, operator)


@pytest.mark.django_db(transaction=True)
def test_no_list_costs_more_than_six_queries(places: Places, bot: Made) -> None:
    client, counted = Client(headers={"Authorization": f"Bearer {bot.text}"}), {}
    for each in [*lists(places.keys), *ways()]:
        assert client.get(each.path).status_code == 200, each  # notes that the token is used, and numbers new events
        with CaptureQueriesContext(connection) as queries:
            client.get(each.path)
        counted[each.name] = len(queries)
    assert {name: count for name, count in counted.items() if count > MOST} == {}


def test_the_benchmark_measures_every_list_with_a_token_that_is_shown_it() -> None:
    measured = {f"list_{each.name}": each for each in lists(dict.fromkeys(HEAVIEST, 7))}
    assert sorted(measured) == LISTS
    assert {name for name, each in measured.items() if not each.operators} == {
        name for name in LISTS if ENDPOINTS["GET", name].who == ADMINISTERS
    }
    assert [each.path for each in measured.values() if "{" in each.path] == []
