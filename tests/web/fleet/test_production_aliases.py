"""Which aliases carry production traffic is one filter of the functions list, whatever they are called."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

from functions_app.models import Account, Function, Image
from functions_app.services.people.account_settings import AccountDraft
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot import account_rules
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
QUERY = "/functions/?alias=@production&freshness=stale"


@pytest.fixture
def account() -> Account:
    """An account with functions whose aliases run what is stale, or not."""
    account = make_account("harbour")
    repository = make_repository(account)
    versions = [make_image(repository, freshness=each) for each in ("current", "stale")]
    with_aliases(account, "one", versions, {"live": 1, "green": 2})
    with_aliases(account, "two", versions, {"live": 1, "canary": 2})
    with_aliases(account, "three", versions, {"test": 2})
    with_aliases(account, "four", versions, {"live": 1, "live-previous": 2})
    refresh_summaries()
    return account


def with_aliases(account: Account, name: str, images: Sequence[Image], aliases: dict[str, int]) -> None:
    """A function with a version of each image, and aliases on some."""
    function = make_function(account, name)
    for number, image in enumerate(images, start=1):
        make_version(function, number, image)
    for alias, number in aliases.items():
        make_alias(function, alias, number)


def facet(client: Client, address: str) -> list[tuple[Any, Any, str]]:
    """What stands under the facet of aliases: words, counts and addresses."""
    facets = client.get(address).context["facets"]
    return [(each.label, each.count, each.href) for one in facets if one.name == "alias" for each in one.values]


def names(client: Client, address: str) -> list[str]:
    """The functions that are listed."""
    return sorted(row.name for row in client.get(address).context["rows"])


def test_it_finds_functions_by_the_worst_of_their_production_aliases(person: Client, account: Account) -> None:
    assert names(person, "/functions/?alias=@production") == ["four", "one", "two"]
    assert names(person, QUERY) == ["one"]
    text = person.get(QUERY).content.decode()
    assert ('title="green"' in text, 'title="live"' in text, "Not shown: live" in text) == (True, False, True)
    assert person.get(QUERY).context["chosen"][0][:2] == ("Alias", "any of production")


def test_it_is_one_click_though_no_facet_is_open_and_counted_in_the_one_that_is(
    person: Client, account: Account
) -> None:
    assert facet(person, "/functions/?freshness=stale") == [
        ("Any of production", None, "?freshness=stale&alias=%40production")
    ]
    opened = facet(person, "/functions/?facet=alias")
    assert opened[:2] == [
        ("Any of production", 3, "?facet=alias&alias=%40production"),
        ("live", 3, "?facet=alias&alias=live"),
    ]


def test_it_stands_first_though_another_alias_is_more_frequent(person: Client, account: Account) -> None:
    for name in ("five", "six", "seven"):
        with_aliases(account, name, list(Image.objects.order_by("pk")), {"test": 1})
    refresh_summaries()
    labels = [(label, count) for label, count, _ in facet(person, "/functions/?facet=alias")]
    assert labels[:2] == [("Any of production", 3), ("test", 4)]


def test_aliases_that_carry_none_are_not_shown_as_if_they_did(person: Client, account: Account) -> None:
    text = person.get("/functions/?alias=@production&search=two").content.decode()
    assert ('title="live"' in text, 'title="canary"' in text, "Not shown: canary" in text) == (True, False, True)


def test_the_overview_leads_to_what_is_stale_there(person: Client, account: Account) -> None:
    text = person.get("/").content.decode()
    assert '<a href="/functions/?alias=%40production&amp;freshness=stale"' in text
    assert "What does “Production aliases” mean?" in text
    told = text[text.index('aria-label="By production aliases"') :].partition("</ul>")[0]
    assert " ".join(strip_tags(told).split()).endswith("Production aliases: Stale 1")


def test_another_rule_of_the_account_holds_at_once(
    person: Client, account: Account, superuser: User, django_capture_on_commit_callbacks: Any
) -> None:
    draft = AccountDraft.of(account)
    with django_capture_on_commit_callbacks(execute=True):
        account_rules.save(replace(draft, production="test"), Actor(superuser), account)
    assert names(person, "/functions/?alias=@production") == ["three"]
    assert Function.objects.get(name="one").alias_chips[0]["production"] is False
