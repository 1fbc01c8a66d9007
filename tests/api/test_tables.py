"""CSV and JSON: the whole list of the page and of the API, by the same filters, from the one writer."""

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.tokens import TokenScope
from functions_app.models import (
    Account,
    AliasMove,
    ApiToken,
    AuditEntry,
    BaseUse,
    BrowserSession,
    ChatLink,
    FreshnessPolicy,
    Function,
    Image,
    ImageScan,
    Plan,
    PushRule,
    Run,
    Version,
)
from functions_app.services.inventory.images.users import users_of
from functions_app.services.inventory.tables import bases, table
from functions_app.services.people import sessions, tokens, views
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.services.people.views import Draft
from tests.conftest import Valkey
from tests.factories import (
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_user,
    make_version,
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


def objects_of(client: Client, path: str) -> list[dict[str, Any]]:
    """The rows of a table as JSON."""
    answer: Any = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), answer.getvalue()
    assert answer["Content-Disposition"].endswith('.json"')
    found: list[dict[str, Any]] = json.loads(answer.getvalue())
    return found


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    """The rows of a table."""
    answer: Any = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.getvalue()
    assert answer["Content-Disposition"].endswith('.csv"')
    return list(csv.DictReader(StringIO(answer.getvalue().decode(), newline="")))


Lists = list[tuple[str, str, int]]  # its page, its endpoint, and how many rows it has here


@pytest.fixture
def lists(viewer: User, bot: Client) -> Lists:
    """Every list that is a table, with something in each."""
    account = make_account("production")
    old = make_release(make_stream(), "old", days_old=40)
    make_user(account, old, "ledger", owner="=cmd()")
    repository = make_repository(account, "team/other")
    image = make_image(repository, "one", tags=["1", "latest"])
    found = {"name": "CVE-1", "severity": "HIGH", "places": [{"package": "zlib", "version": "1"}]}
    ImageScan.objects.create(image=image, status="COMPLETE", read_at=clock.now(), findings=[found])
    ledger, used = Function.objects.get(), Image.objects.exclude(pk=image.pk).get()
    AliasMove.objects.create(function=ledger, alias="live", version="2", at=clock.now())
    FreshnessPolicy.objects.create(max_days=30)
    Run.objects.create(kind="sync", status="succeeded", title="Sync", created_at=clock.now())
    PushRule.objects.create(
        function=ledger, alias="dev", repository=repository, tag="main", mode="plan", person=viewer,
        person_name=viewer.username, created_at=clock.now(),
    )  # fmt: skip
    views.save(Draft("=stale()", "freshness=stale"), Actor(viewer))
    ChatLink.objects.create(token=ApiToken.objects.get(), chat_user="=U1", person=viewer, since=clock.now())
    return [
        ("/functions/?", "/functions?", 1),
        ("/repositories/?", "/repositories?", 2),
        (f"/repositories/{repository.pk}/?", f"/repositories/{repository.pk}/images?", 1),
        (f"/functions/{ledger.pk}/?", f"/functions/{ledger.pk}/versions?", 1),
        (f"/images/{image.pk}/?", f"/images/{image.pk}/scan?", 1),
        ("/bases/?", "/bases?", 1),
        (f"/bases/{old.stream_id}/?", f"/bases/{old.stream_id}/releases?", 1),
        ("/settings/tokens/?", "/tokens?", 1),
        ("/settings/freshness/?", "/policies?", 1),
        ("/runs/?", "/runs?", 1),
        ("/audit/?person=vera&", "/audit?person=vera&", 1),
        ("/settings/accounts/?", "/accounts?", 1),
        ("/settings/pushes/?", "/push-rules?", 1),
        ("/settings/chat/?", "/chat/links?", 1),
        ("/functions/views/?", "/views?", 1),
        (f"/functions/{ledger.pk}/activity/?", f"/functions/{ledger.pk}/activity?", 2),
        (f"/images/{used.pk}/?of=users&", f"/images/{used.pk}/users?", 1),
        (f"/bases/{old.stream_id}/?of=users&", f"/bases/{old.stream_id}?", 1),
    ]


def test_every_list_is_the_same_table_on_its_page_and_of_the_api(person: Client, bot: Client, lists: Lists) -> None:
    for page, path, count in lists:
        told = rows_of(person, f"{page}format=csv")
        assert told == rows_of(bot, f"{API}{path}format=csv")
        assert len(told) == count, page


def test_every_page_of_a_list_leads_to_it_as_csv_and_as_json(person: Client, bot: Client, lists: Lists) -> None:
    for page, _, count in lists:
        assert len(objects_of(person, f"{page}format=json")) == count, page
        text = person.get(page).content.decode()
        assert "format=csv" in text, page
        assert "format=json" in text, page


def test_what_a_spreadsheet_takes_for_a_formula_is_a_text_and_no_list_is_left_out(bot: Client, lists: Lists) -> None:
    assert rows_of(bot, f"{API}/functions?format=csv")[0]["owner"] == "'=cmd()"
    assert rows_of(bot, f"{API}/views?format=csv")[0]["name"] == "'=stale()"
    assert rows_of(bot, f"{API}/chat/links?format=csv")[0]["chat_user"] == "'=U1"
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
    "path", ["/functions?format=xml", "/bases?format=xml", "/runs?format=json", "/overview?format=csv"]
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


def test_a_table_as_json_has_what_is_there_not_what_a_spreadsheet_needs(person: Client) -> None:
    make_function(make_account("production"), "ledger", owner="=cmd()")
    (row,) = objects_of(person, "/functions/?format=json")
    assert (row["owner"], row["account"], row["overdue_on"]) == ("=cmd()", "production", None)
    assert objects_of(person, "/functions/?format=json&search=nobody-is-called-so") == []


def test_the_plans_that_wait_are_a_table_for_who_sees_them_and_for_nobody_else(
    operator: User, approver: User, client: Client
) -> None:
    times = {"created_at": clock.now(), "expires_at": clock.now() + timedelta(hours=1), "asked_at": clock.now()}
    Plan.objects.create(
        id=uuid4(), kind="deployment", title="Deploy", maker=operator, approval_asked=True, body={}, **times
    )
    client.force_login(approver)
    (row,) = objects_of(client, "/plans/?format=json")
    assert (row["title"], row["state"], row["maker"]) == ("Deploy", "waiting", operator.username)
    assert [row["title"] for row in rows_of(client, "/plans/?format=csv")] == ["Deploy"]
    client.force_login(User.objects.create_user("vic"))
    assert client.get("/plans/?format=csv").status_code == 403


def test_tokens_are_a_table_of_everybodys_for_administrators_alone(
    superuser: User, operator: User, valkey: Valkey, client: Client
) -> None:
    for maker in (operator, superuser):
        tokens.make(Wanted(f"of {maker}", ["read"]), Actor(maker))
    client.force_login(operator)
    assert [row["person"] for row in rows_of(client, "/settings/tokens/?format=csv")] == [operator.username]
    client.force_login(superuser)
    assert len(rows_of(client, "/settings/tokens/?format=csv")) == 2


ADMINISTRATORS = [
    ("/settings/people/?", "/people?"),
    ("/settings/sessions/?", "/sessions?"),
    ("/settings/doctor/?", "/doctor?"),
]


def test_people_sessions_and_the_doctor_are_tables_of_administrators(
    superuser: User, operator: User, valkey: Valkey, client: Client
) -> None:
    client.force_login(superuser)
    made = tokens.make(Wanted("ci", list(TokenScope)), Actor(superuser))
    theirs = tokens.make(Wanted("ci", list(TokenScope)), Actor(operator))
    bot, other = (Client(headers={"Authorization": f"Bearer {each.text}"}) for each in (made, theirs))
    for page, path in ADMINISTRATORS:
        told = rows_of(client, f"{page}format=csv")
        assert {frozenset(row) for row in told} == {frozenset(row) for row in rows_of(bot, f"{API}{path}format=csv")}
        assert len(objects_of(client, f"{page}format=json")) == len(told) > 0
        assert "format=csv" in client.get(page).content.decode(), page
        assert other.get(f"{API}{path}format=csv").status_code == 403
    client.force_login(operator)
    assert [client.get(f"{page}format=csv").status_code for page, _ in ADMINISTRATORS] == [403, 200, 403]


def test_sessions_are_a_table_of_ones_own_without_what_opens_one(operator: User, viewer: User, client: Client) -> None:
    Client().force_login(viewer)
    client.force_login(operator)
    (row,) = objects_of(client, "/settings/sessions/?format=json")
    assert row["person"] == operator.username
    assert not {str(value) for value in row.values()} & set(
        BrowserSession.objects.values_list("session_key", flat=True)
    )


def test_all_sessions_are_in_the_table_where_the_page_ends(
    operator: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SHOWN", 1)
    monkeypatch.setattr(table, "BATCH", 1)
    Client().force_login(operator)
    client.force_login(operator)
    assert len(rows_of(client, "/settings/sessions/?format=csv")) == 2


def test_what_a_role_asks_for_to_be_taken_is_in_no_table_of_accounts(person: Client) -> None:
    Account.objects.filter(pk=make_account("production").pk).update(external_id="known-to-two")
    answer: Any = person.get("/settings/accounts/?format=csv")
    assert b"known-to-two" not in answer.getvalue()


def test_who_runs_a_base_is_a_table_of_all_batches_and_of_the_account_that_is_chosen(
    person: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BATCH", 2)
    production, staging, old = make_account("production"), make_account("staging"), make_release(make_stream(), "old")
    for number in range(5):
        make_user(staging if number == 4 else production, old, f"f-{number}")
    address = f"/bases/{old.stream_id}/?of=users&format=csv"
    assert [row["function"] for row in rows_of(person, address)] == [f"f-{number}" for number in range(5)]
    assert [row["function"] for row in rows_of(person, f"{address}&account={staging.pk}")] == ["f-4"]


def test_who_runs_a_base_is_in_the_table_once_whoever_comes_and_goes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BATCH", 2)
    account, old = make_account("production"), make_release(make_stream(), "old")
    for number in range(7):
        make_user(account, old, f"f-{number}")
    batches = iter(bases.base_user_table(old.stream_id, None, None, (), clock.now()).batches)
    told = [*next(batches)]
    BaseUse.objects.filter(name="f-1").delete()
    told += next(batches)
    make_user(account, old, "z-new-one")
    told += [row for batch in batches for row in batch]
    assert [row[1] for row in told] == [f"f-{number}" for number in range(7)]


def test_who_uses_an_image_is_a_table_of_all_however_many_versions_run_it(
    person: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BATCH", 2)
    account = make_account("production")
    image = make_image(make_repository(account), "shared")
    many, *others = (make_function(account, name) for name in ("busy", "idle", "live", "rare"))
    for function in others:
        make_version(function, 1, image)
    make_alias(others[1], "live", 1)
    numbers = range(1, 5_001)
    same = {"digest": image.digest, "last_modified": clock.now(), "state": "Active", "last_update_status": "Successful"}
    Version.objects.bulk_create(
        Version(function=many, number=str(number), ordinal=number, image=image, **same) for number in numbers
    )
    rows = objects_of(person, f"/images/{image.pk}/?of=users&format=json")
    assert [(row["function"], len(row["versions"])) for row in rows] == [
        ("live", 1), ("busy", 5_000), ("idle", 1), ("rare", 1),
    ]  # fmt: skip
    assert users_of(image).counted == "4 functions in 1 account: 1 alias, 5003 versions."


def test_a_token_has_the_table_of_the_accounts_that_it_gets_to(operator: User, valkey: Valkey) -> None:
    production, _ = make_account("production"), make_account("staging")
    wanted = Wanted("some", ["read"], accounts=[production.account_id])
    some = Client(headers={"Authorization": f"Bearer {tokens.make(wanted, Actor(operator)).text}"})
    assert [row["name"] for row in rows_of(some, f"{API}/accounts?format=csv")] == ["production"]
    assert some.get(f"{API}/views?format=csv").status_code == 404  # their filters name accounts
