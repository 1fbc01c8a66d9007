"""Settings: who sees the accounts, who may change them, and what a form that is wrong says."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.errors import Code, Problem
from functions_app.models import Account, AuditEntry, Run, Scope

pytestmark = pytest.mark.django_db
GOOD = {
    "name": "production",
    "account_id": "1234-5678-9012",
    "colour": "red",
    "regions": "eu-west-1, us-east-1",
    "role_arn": "arn:aws:iam::123456789012:role/drydock",
    "external_id": "",
    "enabled": "on",
}


def test_a_viewer_sees_accounts_with_their_age_and_problem(client: Client, viewer: User) -> None:
    account = Account.objects.create(name="production", account_id="123456789012", regions=["eu-west-1"])
    problem = Problem(
        Code.DENIED, "The permission lambda:ListFunctions is missing.", "Allow it.", "AccessDenied", "r-1"
    )
    Scope.objects.create(account=account, region="eu-west-1", synced_at=clock.now(), problem=problem.as_json())
    client.force_login(viewer)
    text = client.get("/settings/accounts/").content.decode()
    assert "The permission lambda:ListFunctions is missing." in text
    assert "request r-1" in text
    assert "Add account" not in text
    assert "Sync now" not in text


def test_an_empty_list_says_where_the_first_account_comes_from(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert "made by the first sync" in client.get("/settings/accounts/").content.decode()


def test_the_list_costs_a_constant_number_of_queries(
    client: Client, viewer: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(5):
        account = Account.objects.create(name=f"a{number}", account_id=str(number) * 12, regions=["eu-west-1"])
        Scope.objects.create(account=account, region="eu-west-1")
    client.force_login(viewer)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        client.get("/settings/accounts/")


def test_an_administrator_adds_an_account(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    answer = client.post("/settings/accounts/add/", GOOD)
    assert answer.status_code == 302
    account = Account.objects.get()
    assert (account.account_id, account.regions) == ("123456789012", ["eu-west-1", "us-east-1"])
    assert account.colour == "magenta"  # red is the colour of errors
    assert account.scopes.count() == 2
    assert AuditEntry.objects.get(action="account.add").actor == superuser


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "A name of 1 to 80 characters."),
        ("name", "prod\tuction", "can't be seen"),
        ("external_id", "a secret", "as AWS takes them"),
        ("account_id", "12345", "An AWS account id has 12 digits."),
        ("account_id", "١٢٣٤٥٦٧٨٩٠١٢", "An AWS account id has 12 digits."),
        ("regions", "", "Not a region"),
        ("regions", "europe", "Not a region"),
        ("role_arn", "drydock", "looks like"),
        ("role_arn", "arn:aws:iam::999999999999:role/drydock", "another account"),
        ("colour", "url(x)", "one of the colours"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(
    client: Client, superuser: User, field: str, value: str, said: str
) -> None:
    client.force_login(superuser)
    answer = client.post("/settings/accounts/add/", GOOD | {field: value})
    assert answer.status_code == 400
    assert said in answer.content.decode().replace("&#x27;", "'")
    assert not Account.objects.exists()


def test_the_id_of_an_account_stays(client: Client, superuser: User) -> None:
    account = Account.objects.create(name="production", account_id="123456789012", regions=["eu-west-1"])
    client.force_login(superuser)
    other = GOOD | {"account_id": "210987654321", "role_arn": ""}
    assert client.post(f"/settings/accounts/{account.pk}/", other).status_code == 400
    account.refresh_from_db()
    assert account.account_id == "123456789012"


def test_a_region_that_is_dropped_takes_its_age_with_it(client: Client, superuser: User) -> None:
    account = Account.objects.create(name="production", account_id="123456789012", regions=["eu-west-1", "us-east-1"])
    Scope.objects.create(account=account, region="us-east-1")
    client.force_login(superuser)
    client.post(f"/settings/accounts/{account.pk}/", GOOD | {"regions": "eu-west-1"})
    assert list(account.scopes.values_list("region", flat=True)) == ["eu-west-1"]


@pytest.mark.parametrize("address", ["/settings/accounts/add/", "/settings/accounts/1/"])
def test_an_operator_may_not_change_accounts_and_the_attempt_is_kept(
    client: Client, operator: User, address: str
) -> None:
    Account.objects.create(pk=1, name="production", account_id="123456789012", regions=["eu-west-1"])
    client.force_login(operator)
    assert client.post(address, GOOD).status_code == 403
    assert AuditEntry.objects.get().result.startswith("refused")
    assert Account.objects.get().colour == "blue"


def test_an_operator_starts_a_sync_and_sees_its_run(client: Client, operator: User, valkey: object) -> None:
    client.force_login(operator)
    answer = client.post("/sync/")
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.plan["full"] is True
    assert run.actor == operator


def test_a_second_sync_is_refused_while_one_is_under_way(client: Client, operator: User, valkey: object) -> None:
    client.force_login(operator)
    client.post("/sync/")
    assert client.post("/sync/").status_code == 409
    assert Run.objects.count() == 1


def test_a_viewer_may_not_sync(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.post("/sync/").status_code == 403
    assert not Run.objects.exists()


def test_what_cannot_be_seen_in_a_name_is_shown_as_what_it_is(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    client.post("/settings/accounts/add/", GOOD | {"name": "pro\u200bduction\u202e"})
    assert "pro‹U+200B›duction‹U+202E›" in client.get("/settings/accounts/").content.decode()


@pytest.mark.parametrize("address", ["/nowhere\u202e/", "/audit/?about=a\u202e", "/functions/?search=a\u202e"])
def test_what_an_address_says_is_shown_as_what_it_is(client: Client, viewer: User, address: str) -> None:
    client.force_login(viewer)
    text = client.get(address).content.decode()
    assert ("\u202e" in text, "‹U+202E›" in text) == (False, True)
