"""Functions that are chosen in the list: frozen at that moment, and what is done with exactly those."""

import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import AuditEntry, Function, Plan, Repository, Run, Selection
from functions_app.services.people import selections
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.alias_standings import refresh_standings
from functions_app.services.snapshot.base_use_rows import refresh_uses
from tests.conftest import Valkey
from tests.factories import (
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_stream,
    make_user,
    make_version,
)

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]


@pytest.fixture
def person(client: Client, operator: User) -> Client:
    """A browser of somebody who may change things."""
    client.force_login(operator)
    return client


def chosen(client: Client, **form: object) -> str:
    """Choose, and give the address of the selection."""
    return client.post("/functions/selection/", form).headers["Location"]


def names(client: Client, address: str) -> list[str]:
    """The functions of a selection, as its CSV has them."""
    return [row["name"] for row in csv.DictReader(StringIO(client.get(f"{address}?format=csv").getvalue().decode()))]


def test_all_that_match_are_frozen_whatever_the_filter_finds_later(person: Client) -> None:
    account = make_account()
    for number in range(60):
        make_function(account, f"f-{number:02d}", freshness="stale")
    make_function(account, "other", freshness="current")
    address = chosen(person, take="all", query="freshness=stale&sort=name")
    Function.objects.filter(name="f-00").update(freshness="current")
    make_function(account, "f-late", freshness="stale")
    assert names(person, address) == [f"f-{number:02d}" for number in range(60)]
    assert "60 functions selected" in person.get(address).content.decode()


def test_what_is_ticked_is_taken_and_no_more(person: Client) -> None:
    account = make_account()
    one, other = make_function(account, "one"), make_function(account, "other")
    make_function(account, "third")
    address = chosen(person, take="ticked", query="", function=[other.pk, one.pk, "nonsense", other.pk])
    assert names(person, address) == ["other", "one"]
    rows = json.loads(person.get(f"{address}?format=json").getvalue())
    assert [row["id"] for row in rows] == [other.pk, one.pk]


def test_each_function_has_one_checkbox_that_belongs_to_the_form_however_many_aliases(person: Client) -> None:
    chips = [{"name": name, "version": "1", "digest": ""} for name in ("canary", "live")]
    function = make_function(make_account(), "one", alias_chips=chips)
    text = person.get("/functions/").content.decode()
    assert text.count(f'form="selection" name="function" value="{function.pk}" aria-label="Select one"') == 1
    assert "Select all 1" in text


def test_all_that_match_an_alias_are_those_whose_alias_stands_so(person: Client) -> None:
    account = make_account()
    for name, live, other in (("one", "stale", "current"), ("other", "current", "stale")):
        chips = [{"name": "live", "version": "1", "digest": "", "freshness": live}]
        chips += [{"name": "next", "version": "2", "digest": "", "freshness": other}]
        make_function(account, name, freshness="stale", alias_chips=chips)
    refresh_standings([*Function.objects.all()])
    assert names(person, chosen(person, take="all", query="alias=live&freshness=stale")) == ["one"]


@pytest.mark.parametrize("form", [{}, {"take": "ticked", "function": "999"}, {"take": "all", "query": "search=nobody"}])
def test_nothing_chosen_is_said(person: Client, form: dict[str, str]) -> None:
    answer = person.post("/functions/selection/", form)
    assert answer.status_code == 400
    assert "No function was selected." in answer.content.decode()


def test_more_than_a_selection_takes_is_said_with_the_number(person: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MOST", 1)  # instead of ten thousand functions
    for name in ("one", "other"):
        make_function(make_account(), name)
    answer = person.post("/functions/selection/", {"take": "all", "query": ""})
    assert answer.status_code == 400
    assert "A selection takes 1 functions at a time, and these are 2." in answer.content.decode()


def test_of_ones_own_selections_the_newest_are_kept_and_nobody_elses_go(
    person: Client, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "KEPT", 2)  # instead of a hundred
    function = make_function(make_account(), "one")
    theirs = selections.freeze([function.pk], Actor(viewer)).pk
    addresses = [chosen(person, take="all", query="") for _ in range(3)]
    assert [person.get(address).status_code for address in addresses] == [404, 200, 200]
    assert Selection.objects.filter(pk=theirs).exists()


def test_a_selection_is_its_makers_alone_and_over_after_a_day(person: Client, viewer: User, client: Client) -> None:
    make_function(make_account(), "one")
    address = chosen(person, take="all", query="")
    client.force_login(viewer)
    assert client.get(address).status_code == 403
    Selection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert client.get(address).status_code == 404


def test_a_sync_reads_exactly_these_and_too_many_are_refused_with_the_reason(
    person: Client, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account()
    one = make_function(account, "one")
    make_function(account, "other")
    address = chosen(person, take="ticked", function=[one.pk])
    answer = person.post(f"{address}sync/")
    run = Run.objects.get()
    assert (answer.headers["Location"], run.plan) == (f"/runs/{run.pk}/", {"functions": [one.pk]})
    monkeypatch.setattr("functions_app.web.fleet.selection.READ_AT_ONCE", 0)
    assert "takes 0 functions at a time" in person.get(address).content.decode()


def test_each_base_is_planned_for_what_was_chosen_alone(person: Client) -> None:
    account, stream = make_account("production"), make_stream()
    old = make_release(stream, "old", days_old=40)
    new = make_release(stream, "new", current=True)
    stale = {"freshness": "stale", "base_name": stream.name}
    ledger, _ = make_user(account, old, "ledger", **stale), make_user(account, old, "left-out", **stale)
    newest = make_user(account, new, "newest", freshness="current", base_name=stream.name)
    address = chosen(person, take="ticked", function=[ledger.pk, newest.pk])
    text = person.get(address).content.decode()
    assert "1 on the current release already." in text
    planned = person.post(f"/bases/{stream.pk}/patch/", {"selection": address.split("/")[-2]})
    assert planned.status_code == 302
    assert [entry["function"] for entry in Plan.objects.get().body["entries"]] == ["ledger"]
    assert AuditEntry.objects.get().plan["functions"] == 1


def test_what_is_behind_is_what_a_plan_would_name_whatever_the_worst_of_a_function_is(person: Client) -> None:
    """At its end of life on the newest release nothing is to plan; another alias may be behind on another base."""
    account, ended, other = make_account(), make_stream("python:3.9"), make_stream("nodejs:22")
    newest = make_release(ended, "last", current=True)
    old = make_release(other, "old", days_old=40)
    make_release(other, "new", current=True)
    one = make_user(account, newest, "one", freshness="end_of_life", base_name=ended.name)
    image = make_image(Repository.objects.get(), base_release=old, base_stream=other, base_tier="exact")
    make_version(one, 2, image)
    make_alias(one, "next", 2)
    refresh_uses([one])
    address = chosen(person, take="all", query="")
    text = person.get(address).content.decode()
    assert f'action="/bases/{other.pk}/patch/"' in text
    assert f'action="/bases/{ended.pk}/patch/"' not in text
    person.post(f"/bases/{other.pk}/patch/", {"selection": address.split("/")[-2]})
    assert [entry["alias"] for entry in Plan.objects.get().body["entries"]] == ["next"]
    refused = person.post(f"/bases/{ended.pk}/patch/", {"selection": address.split("/")[-2]}).content.decode()
    assert "Nothing of what was selected stands on an older release of python:3.9." in refused


def test_a_function_that_is_deleted_since_stays_in_the_list_and_is_counted(person: Client) -> None:
    function = make_function(make_account(), "one")
    address = chosen(person, take="all", query="")
    Function.objects.filter(pk=function.pk).update(gone_at=clock.now())
    text = person.get(address).content.decode()
    assert "<b>1</b> deleted since" in text
    assert "AWS has it no more" in text  # and no state that it had
    assert "Active" not in text
    assert names(person, address) == ["one"]


def test_names_arns_and_digests_are_copied_a_line_each(person: Client) -> None:
    account = make_account()
    made = [make_function(account, name) for name in ("a", "b")]
    text = person.get(chosen(person, take="all", query="sort=name")).content.decode()
    assert 'data-copy="a\nb"' in text
    assert f'data-copy="{made[0].arn}\n{made[1].arn}"' in text


def test_the_page_costs_the_same_however_many_are_chosen(
    person: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    account = make_account()
    for number in range(120):
        make_function(account, f"f-{number}", freshness="stale", base_name="python:3.12")
    address = chosen(person, take="all", query="")
    with django_assert_num_queries(8):
        person.get(address)
