"""What is settled over the API: policies, bases, accounts, people, smoke tests; by the rules of the pages."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.models import Account, AuditEntry, BaseStream, FreshnessPolicy, Function, SmokeTest
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_stream, make_version

pytestmark = pytest.mark.django_db
API = "/api/v1"


def bot_of(person: User, *scopes: str) -> Client:
    """A bot that acts for somebody, with these scopes."""
    made = tokens.make(Wanted("ci", scopes), Actor(person))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture
def admin(superuser: User, valkey: Valkey) -> Client:
    """A bot of an administrator."""
    return bot_of(superuser, "read", "admin")


@pytest.fixture
def settler(operator: User, valkey: Valkey) -> Client:
    """A bot of an operator that may settle things."""
    return bot_of(operator, "read", "admin")


def send(bot: Client, method: str, path: str, body: Any) -> Any:
    return getattr(bot, method)(API + path, json.dumps(body), content_type="application/json")


class Test_a_policy:
    def test_is_added_for_an_account_by_its_name(self, settler: Client) -> None:
        account = make_account("production")
        told = send(settler, "post", "/policies", {"account": "production", "max_days": 7})
        assert told.status_code == 201
        assert FreshnessPolicy.objects.get().account == account
        assert told["Location"] == f"{API}/policies/{told.json()['id']}"

    @pytest.mark.parametrize("body", [{"account": "nobody"}, {"tag_value": "a"}, {}, {"tag_key": "ab"}])
    def test_that_the_form_would_refuse_is_refused(self, settler: Client, body: dict[str, Any]) -> None:
        FreshnessPolicy.objects.create(tag_key="ab")
        assert send(settler, "post", "/policies", body).status_code == 400
        assert FreshnessPolicy.objects.count() == 1

    def test_is_not_settled_by_a_token_for_other_things(self, operator: User, valkey: Valkey) -> None:
        bot = bot_of(operator, "read", "invoke", "patch", "deploy:prod")
        answer = send(bot, "post", "/policies", {"max_days": 7})
        assert (answer.status_code, "lacks the scope admin" in answer.json()["detail"]) == (403, True)
        assert AuditEntry.objects.filter(action="freshness_policy.save", result__startswith="refused").exists()


class Test_a_base:
    def test_of_a_company_is_added_with_all_that_the_form_takes(self, settler: Client) -> None:
        body = {"reference": "ghcr.io/acme/base:1", "platforms": ["linux/amd64"], "deprecated_on": "2028-10-31"}
        assert send(settler, "post", "/bases", body).status_code == 201
        stream = BaseStream.objects.get()
        assert (stream.own, stream.platforms, str(stream.deprecated_on)) == (True, ["linux/amd64"], "2028-10-31")

    def test_of_lambda_can_be_switched_off_and_nothing_else(self, settler: Client) -> None:
        stream = make_stream(reference="public.ecr.aws/lambda/python:3.12")
        path = f"/bases/{stream.pk}/settings"
        assert send(settler, "patch", path, {"name": "mine"}).status_code == 422
        assert send(settler, "patch", path, {"enabled": False}).json()["enabled"] is False


class Test_an_account:
    def test_is_added_and_changed_by_an_administrator(self, admin: Client) -> None:
        body = {"name": "new", "account_id": "9" * 12, "regions": ["EU-west-1", "eu-west-1"]}
        assert send(admin, "post", "/accounts", body).status_code == 201
        assert send(admin, "patch", f"/accounts/{'9' * 12}", {"colour": "magenta"}).status_code == 200
        account = Account.objects.get()
        assert (account.regions, account.colour) == (["eu-west-1"], "magenta")

    @pytest.mark.parametrize(
        ("now", "body"),
        [
            ({}, {"approval": "never"}),
            ({"approval": "always"}, {"approval": "bots"}),
            ({}, {"production": "nothing-at-all"}),
            ({"production_aliases": ["live", "eu-*"]}, {"production": "live"}),
            ({"production_aliases": ["eu-*"]}, {"production": ""}),
        ],
    )
    def test_is_watched_less_by_no_bot(self, admin: Client, now: dict[str, Any], body: dict[str, Any]) -> None:
        account = make_account(**now)
        answer = send(admin, "patch", f"/accounts/{account.account_id}", body)
        assert (answer.status_code, "signed in" in answer.json()["next_step"]) == (403, True)
        assert AuditEntry.objects.filter(action="account.change", result__startswith="refused").count() == 1
        new = {"name": "new", "account_id": "9" * 12, "regions": ["eu-west-1"], "approval": "never"}
        assert send(admin, "post", "/accounts", new).status_code == 403

    def test_is_watched_more_by_whoever_settles_it(self, admin: Client) -> None:
        account = make_account(production_aliases=["live"])
        path = f"/accounts/{account.account_id}"
        assert send(admin, "patch", path, {"approval": "always", "production": "live, eu-*"}).status_code == 200
        assert send(admin, "patch", path, {"name": "another"}).status_code == 200

    @pytest.mark.parametrize("body", [{"regions": []}, {"regions": ["moon"]}, {"colour": "invisible"}])
    def test_keeps_to_what_the_form_takes(self, admin: Client, body: dict[str, Any]) -> None:
        path = f"/accounts/{make_account().account_id}"
        assert send(admin, "patch", path, body).status_code == 400

    def test_tells_its_external_id_to_nobody(self, admin: Client) -> None:
        account = make_account(external_id="only-between-us")
        assert b"only-between-us" not in admin.get(f"{API}/accounts/{account.account_id}").content


class Test_a_person:
    def test_is_made_what_the_command_would_make_them(self, admin: Client, viewer: User) -> None:
        assert send(admin, "patch", "/people/vera", {"group": "approver"}).json()["group"] == "approver"
        assert admin.get(f"{API}/people/vera").json()["group"] == "approver"

    def test_who_is_shut_out_loses_session_and_tokens_at_once(self, admin: Client, viewer: User) -> None:
        browser, bot = Client(), bot_of(viewer, "read")
        browser.force_login(viewer)
        assert send(admin, "patch", "/people/vera", {"group": "none"}).status_code == 200
        assert browser.get("/functions/").status_code == 302
        assert bot.get(f"{API}/functions").status_code == 401

    def test_who_is_the_only_administrator_stays_one(self, admin: Client, superuser: User) -> None:
        assert send(admin, "patch", "/people/sam", {"group": "viewer"}).status_code == 422
        superuser.refresh_from_db()
        assert superuser.is_superuser

    def test_is_signed_out_everywhere(self, admin: Client, viewer: User) -> None:
        browser = Client()
        browser.force_login(viewer)
        browser.get("/functions/")
        assert [row["person"] for row in admin.get(f"{API}/sessions").json()["sessions"]] == ["vera"]
        assert send(admin, "post", "/people/vera/sign-out", {}).json()["text"] == "vera is signed out everywhere (1)."
        assert browser.get("/functions/").status_code == 302


@pytest.mark.parametrize("limits", [{"accounts": ["111111111111"]}, {"functions": ["billing-*"]}])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "/accounts/222222222222", {"colour": "red"}),
        ("post", "/accounts", {"name": "new", "account_id": "9" * 12, "regions": ["eu-west-1"]}),
        ("patch", "/people/vera", {"group": "administrator"}),
        ("post", "/people/vera/sign-out", {}),
        ("get", "/people", None),
        ("get", "/people/vera", None),
        ("get", "/sessions", None),
        ("get", "/doctor", None),
        ("post", "/doctor", {}),
    ],
)
def test_what_administrators_settle_is_closed_to_a_token_of_some_functions(
    superuser: User, viewer: User, valkey: Valkey, limits: dict[str, list[str]], method: str, path: str, body: Any
) -> None:
    for number in ("1" * 12, "2" * 12):
        make_account(f"account {number}", account_id=number)
    made = tokens.make(Wanted("ci", ["read", "admin"], **limits), Actor(superuser))  # type: ignore[arg-type]
    bot = Client(headers={"Authorization": f"Bearer {made.text}"})
    answer = bot.get(API + path) if body is None else send(bot, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "denied")
    audited = AuditEntry.objects.filter(via="token ci", result__startswith="refused").exists()
    assert audited is (body is not None)


def test_everybodys_tokens_are_not_there_for_a_token_of_some_functions(
    superuser: User, viewer: User, valkey: Valkey
) -> None:
    others = tokens.make(Wanted("other", ["read"]), Actor(viewer)).row.pk
    made = tokens.make(Wanted("ci", ["read", "admin"], functions=["a*"]), Actor(superuser))
    bot = Client(headers={"Authorization": f"Bearer {made.text}"})
    assert [row["name"] for row in bot.get(f"{API}/tokens").json()["tokens"]] == ["ci"]
    assert bot.get(f"{API}/tokens/{others}").status_code == 404
    assert send(bot, "post", f"/tokens/{others}/revoke", {}).status_code == 404


class Test_a_smoke_test:
    @pytest.fixture
    def function(self, db: None) -> Function:
        function = make_function(make_account(), "app")
        make_version(function, 1)
        make_alias(function, "staging", 1)
        return function

    def test_is_kept_by_a_token_that_may_deploy_what_the_function_serves(
        self, function: Function, operator: User, valkey: Valkey
    ) -> None:
        bot = bot_of(operator, "read", "deploy:nonprod")
        assert send(bot, "put", "/functions/app/smoke-test", {"status": 200}).status_code == 200
        make_alias(function, "live", 1)
        refused = bot.delete(f"{API}/functions/app/smoke-test")
        assert (refused.status_code, "deploy:prod" in refused.json()["detail"]) == (403, True)
        assert SmokeTest.objects.get().body["status"] == 200

    def test_that_there_is_not_is_not_found(self, function: Function, operator: User, valkey: Valkey) -> None:
        bot = bot_of(operator, "read", "deploy:nonprod")
        assert bot.get(f"{API}/functions/app/smoke-test").status_code == 404
        assert send(bot, "put", "/functions/app/smoke-test", {"path": "$.a[?@.b]"}).status_code == 400
