"""CSV: the whole list of the page and of the API, by the same filters, from the one writer."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import AuditEntry, FreshnessPolicy, Run
from functions_app.services.inventory.tables import table
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import (
    make_account,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_user,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def bot(viewer: User, valkey: Valkey) -> Client:
    """A bot that may read."""
    return Client(headers={"Authorization": f"Bearer {tokens.make(Wanted('ci', ['read']), Actor(viewer)).text}"})


@pytest.fixture
def person(client: Client, viewer: User) -> Client:
    """Somebody in the browser."""
    client.force_login(viewer)
    return client


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    """The rows of a table."""
    answer: Any = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.getvalue()
    assert answer["Content-Disposition"].endswith('.csv"')
    return list(csv.DictReader(StringIO(answer.getvalue().decode(), newline="")))


def test_every_list_is_the_same_table_on_its_page_and_of_the_api(person: Client, bot: Client) -> None:
    account = make_account("production")
    old = make_release(make_stream(), "old", days_old=40)
    make_user(account, old, "ledger", owner="=cmd()")
    repository = make_repository(account, "team/other")
    make_image(repository, "one", tags=["1", "latest"])
    FreshnessPolicy.objects.create(max_days=30)
    Run.objects.create(kind="sync", status="succeeded", title="Sync", created_at=clock.now())
    for page, path, count in (
        ("/functions/?", "/functions?", 1),
        ("/repositories/?", "/repositories?", 2),
        (f"/repositories/{repository.pk}/?", f"/repositories/{repository.pk}/images?", 1),
        ("/bases/?", "/bases?", 1),
        ("/settings/freshness/?", "/policies?", 1),
        ("/runs/?", "/runs?", 1),
        ("/audit/?person=vera&", "/audit?person=vera&", 1),
    ):
        told = rows_of(person, f"{page}format=csv")
        assert told == rows_of(bot, f"{API}{path}format=csv")
        assert len(told) == count, page
        assert "format=csv" in person.get(page).content.decode(), page
    assert rows_of(bot, f"{API}/functions?format=csv")[0]["owner"] == "'=cmd()"
    assert rows_of(bot, f"{API}/at-risk?format=csv") == []
    assert len(rows_of(bot, f"{API}/stale?format=csv")) in (0, 1)


def test_a_table_has_all_rows_that_the_filters_find_in_the_order_of_the_list(
    person: Client, bot: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BATCH", 20)  # three batches, of fewer rows than make one in earnest
    account = make_account()
    for number in range(55):
        make_function(account, f"f-{number:02d}", freshness="stale" if number % 2 else "current")
    names = [row["name"] for row in rows_of(person, "/functions/?format=csv&sort=-name&page=2")]
    assert names == [f"f-{number:02d}" for number in reversed(range(55))]
    assert len(rows_of(bot, f"{API}/functions?format=csv&freshness=stale&search=f-")) == 27


def test_a_table_has_what_the_token_gets_to(operator: User, valkey: Valkey) -> None:
    account = make_account()
    make_function(account, "billing-api")
    make_function(account, "orders")
    wanted = Wanted("some", ["read"], functions=["billing-*"])
    some = Client(headers={"Authorization": f"Bearer {tokens.make(wanted, Actor(operator)).text}"})
    assert [row["name"] for row in rows_of(some, f"{API}/functions?format=csv")] == ["billing-api"]


@pytest.mark.parametrize(
    "path", ["/functions?format=xml", "/bases?format=xml", "/plans?format=csv", "/tokens?format=csv"]
)
def test_another_format_is_refused(bot: Client, path: str) -> None:
    assert bot.get(f"{API}{path}").status_code in (404, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/functions",
        "/stale",
        "/at-risk",
        "/repositories",
        "/bases",
        "/policies",
        "/runs",
        "/accounts",
        "/audit",
        "/tokens",
    ],
)
def test_a_filter_that_nobody_knows_is_refused_by_every_list(bot: Client, path: str) -> None:
    assert bot.get(f"{API}{path}?colour=red").status_code == 422
    assert bot.get(f"{API}{path}").status_code == 200


def test_a_table_of_the_audit_is_no_page_of_the_audit(bot: Client, viewer: User) -> None:
    rows = (AuditEntry(at=clock.now(), actor_name="olga", action="x", target="y", result="z") for _ in range(60))
    AuditEntry.objects.bulk_create(rows)
    assert len(rows_of(bot, f"{API}/audit?format=csv&person=olga")) == 60
