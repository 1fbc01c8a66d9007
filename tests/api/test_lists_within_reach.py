"""What a token with limits is listed, and how many: its own, whatever stands for functions where they are counted."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def narrow(operator: User, valkey: object) -> Client:
    """A bot of one account; another has a function that is just like its own."""
    own = make_account("own")
    for account in (own, make_account("other")):
        image = make_image(make_repository(account), freshness="stale")
        function = make_function(account, f"orders-{account.name}", tags={"team": "red", "stage": "live"})
        make_version(function, 1, image)
        make_alias(function, "live", 1)
    refresh_summaries()
    made = tokens.make(Wanted("narrow", ["read"], accounts=[own.account_id]), Actor(operator))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "alias=@production",
        "alias=live&freshness=stale",
        "tag=team=red",
        "tag=team=red&tag=stage=live&alias=@production",
        "runtime=none",
        "runtime=none&alias=@production&tag=team=red",
    ],
)
def test_a_token_of_one_account_is_told_of_no_other(narrow: Client, query: str) -> None:
    answer = narrow.get(f"/api/v1/functions?{query}").json()
    assert ([row["name"] for row in answer["functions"]], answer["total"]) == (["orders-own"], 1)
    assert answer["text"].startswith("1 function, 1 stale")
    lines = narrow.get(f"/api/v1/functions?{query}&format=csv").getvalue().decode().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["orders-own"]
