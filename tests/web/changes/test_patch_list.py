"""Plan to bring functions forward: what is frozen, who may, what the page and its export say."""

import csv
import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import Account, Alias, AuditEntry, BaseRelease, BaseStream, Image, Plan, Run
from tests.factories import make_account, make_golden, make_release, make_stream, make_user, today

pytestmark = pytest.mark.shows_dates


@pytest.fixture
def person(client: Client, operator: User) -> Client:
    """A browser of somebody who may change things."""
    client.force_login(operator)
    return client


@pytest.fixture
def account(db: None) -> Account:
    """An account."""
    return make_account("production")


@pytest.fixture
def stream(db: None) -> BaseStream:
    """A stream with an older release, `old`, and a current one, `new`."""
    stream = make_stream()
    make_release(stream, "old", days_old=40)
    make_release(stream, "new", current=True)
    return stream


@pytest.fixture
def old(stream: BaseStream) -> BaseRelease:
    """The older release."""
    return stream.releases.get(tag="old")


def planned(client: Client, stream: BaseStream, **form: object) -> str:
    """Plan, and give the address of the plan's page."""
    return client.post(f"/bases/{stream.pk}/patch/", form).headers["Location"]


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    """The CSV of a plan."""
    return list(csv.DictReader(StringIO(client.get(f"{address}list.csv").getvalue().decode())))


def test_what_is_behind_is_frozen_with_what_is_possible_for_each(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, stream.releases.get(tag="new"), "current")
    make_user(account, old, "ledger", managed_by="terraform", owner="team-red", overdue_on=today(-1))
    make_user(account, make_golden(make_stream("golden:1", own=True), "g1", on=old), "mailer", alias="")
    unknown = make_user(account, old, "orders", alias="test")
    Image.objects.filter(versions__function=unknown).update(base_release=None, base_tier="partial")
    address = planned(person, stream)
    rows = {row["function"]: row for row in rows_of(person, address)}
    assert {name: (row["alias"], row["from_release"], row["to_release"], row["way"]) for name, row in rows.items()} == {
        "ledger": ("live", "old", "new", "rebase"),
        "mailer": ("", "old", "new", "golden"),
        "orders": ("test", "unknown release", "new", "rebuild"),
    }
    assert (rows["ledger"]["production"], rows["ledger"]["overdue"]) == ("true", "true")
    assert rows["ledger"]["warning"].startswith("terraform manages it")
    assert rows["mailer"]["through"] == "golden:1 g1"


def test_each_function_that_a_patch_brings_forward_has_its_own_there_golden_image_first_or_not(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    behind = make_user(account, old, "ledger")
    on_golden = make_user(account, make_golden(make_stream("golden:1", own=True), "g1", on=old), "mailer")
    to_build = make_user(account, old, "orders")
    Image.objects.filter(versions__function=to_build).update(base_release=None, base_tier="partial")
    text = person.get(planned(person, stream)).content.decode()
    led = {
        each for each in (behind, on_golden, to_build) if f'href="/functions/{each.pk}/patch/?digest=sha256:' in text
    }
    assert led == {behind, on_golden}


def test_the_list_stays_as_it_was_when_it_was_planned(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, old, "ledger")
    address = planned(person, stream)
    make_user(account, old, "later")
    Alias.objects.all().delete()
    assert [row["function"] for row in rows_of(person, address)] == ["ledger"]
    document = json.loads(person.get(f"{address}list.json").content)
    assert [(entry["function"], entry["alias"], entry["version"]) for entry in document["entries"]] == [
        ("ledger", "live", "1")
    ]


def test_the_page_says_that_it_plans_and_changes_nothing(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, old, "ledger", managed_by="terraform")
    text = person.get(planned(person, stream)).content.decode()
    for words in (
        "Bring 1 function forward to the current release of python:3.12",
        "Nothing has been changed, and this page changes nothing",
        "1 alias carries production traffic, by name and setting",
        "1 function is managed by another tool",
        "Export as CSV",
    ):
        assert words in text
    assert not Run.objects.exists()


def test_planning_is_in_the_audit(
    person: Client, operator: User, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, old)
    planned(person, stream)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.target) == ("patch_list.plan", operator, "python:3.12")
    assert entry.plan["functions"] == 1


def test_one_release_or_one_account_alone_can_be_planned(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    other = make_account("staging")
    older = make_release(stream, "older", days_old=90)
    make_user(account, old, "a")
    make_user(account, older, "b")
    make_user(other, old, "c")
    assert [row["function"] for row in rows_of(person, planned(person, stream, release=old.pk))] == ["a", "c"]
    assert [row["function"] for row in rows_of(person, planned(person, stream, account=other.pk))] == ["c"]


def test_where_nothing_is_behind_there_is_no_plan(person: Client, stream: BaseStream) -> None:
    assert person.post(f"/bases/{stream.pk}/patch/").status_code == 422
    assert not Plan.objects.exists()


def test_anybody_may_look_at_a_plan_and_nobody_can_apply_it(
    person: Client, viewer: User, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, old)
    address = planned(person, stream)
    plan = Plan.objects.get()
    assert person.post(f"/plans/{plan.pk}/apply/").status_code == 302
    assert person.get(f"/plans/{plan.pk}/").headers["Location"] == address
    assert AuditEntry.objects.filter(action="patch_list.apply", result__startswith="refused").exists()
    assert not Run.objects.exists()
    person.force_login(viewer)
    assert person.get(address).status_code == 200


def test_of_two_current_releases_for_a_platform_the_newest_is_where_it_goes(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_release(stream, "neither", days_old=3, current=True)
    make_user(account, old, "ledger")
    assert [row["to_release"] for row in rows_of(person, planned(person, stream))] == ["new"]


def test_an_expired_plan_says_so(person: Client, account: Account, stream: BaseStream, old: BaseRelease) -> None:
    make_user(account, old)
    address = planned(person, stream)
    Plan.objects.update(expires_at=clock.now() - timedelta(minutes=1))
    assert "This plan expired" in person.get(address).content.decode()


def test_an_unknown_plan_is_a_404_page(person: Client) -> None:
    assert person.get(f"/bases/patch/{uuid4()}/").status_code == 404


def test_a_spreadsheet_takes_no_cell_for_a_formula(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    make_user(account, old, owner=" \uff1dcmd()")
    assert rows_of(person, planned(person, stream))[0]["owner"] == "' \uff1dcmd()"


def test_a_hundred_entries_a_page_at_the_same_cost(
    person: Client,
    account: Account,
    stream: BaseStream,
    old: BaseRelease,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(120):
        make_user(account, old, f"f-{number:03d}")
    with django_assert_max_num_queries(24):
        address = planned(person, stream)
    with django_assert_max_num_queries(5):
        answer = person.get(address)
    assert sum(len(entries) for _, entries in answer.context["groups"]) == 100
    groups = person.get(f"{address}?page=2").context["groups"]
    assert groups[0][1][0][0].place.function == "f-100"
