"""Which runs the list shows: people's first, the schedule's folded, by person, function, kinds, status and time."""

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.domain.runs import Kind, Status
from functions_app.domain.tokens import Reach
from functions_app.models import Run
from functions_app.services.inventory.runs.run_filter import RunFilter
from functions_app.services.inventory.runs.run_list import run_list
from functions_app.services.people import tokens
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.people.reach import runs_within
from functions_app.services.people.tokens import Wanted
from tests.factories import make_account, make_function

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"person": "VER"}, {"deployed"}),
    ({"function": "order"}, {"deployed"}),
    ({"kind": ["deployment", "invocation"]}, {"deployed", "invoked"}),
    ({"kind": ["deployment", "sync"]}, {"deployed"}),
    ({"status": "failed"}, {"deployed"}),
    ({"since": "24h"}, {"deployed"}),
    ({"until": "24h"}, {"invoked"}),
    ({"since": "2020-01-01", "until": "2020-01-02"}, set()),
    ({"person": "vera", "function": "order", "kind": ["deployment"], "status": "failed", "since": "1d"}, {"deployed"}),
    ({"by": "schedule"}, {"synced"}),
    ({"by": "everybody", "status": "succeeded"}, {"synced", "invoked"}),
    ({"by": "everybody"}, {"synced", "invoked", "deployed"}),
]


def make(title: str, kind: Kind, status: Status, name: str, **more: Any) -> Run:
    more = {"created_at": clock.now() - timedelta(minutes=1), **more}
    return Run.objects.create(title=title, kind=kind, status=status, actor_name=name, **more)


@pytest.fixture
def runs(db: None) -> None:
    function = make_function(make_account(), "orders-api")
    make("synced", Kind.SYNC, Status.SUCCEEDED, SCHEDULE.name, via=SCHEDULE.via)
    make("deployed", Kind.DEPLOYMENT, Status.FAILED, "vera", function=function)
    make("invoked", Kind.INVOCATION, Status.SUCCEEDED, "wim", created_at=clock.now() - timedelta(days=3))


@pytest.fixture
def browser(client: Client, viewer: User, runs: None) -> Client:
    client.force_login(viewer)
    return client


def page_of(browser: Client, **query: Any) -> str:
    return browser.get("/runs/", query).content.decode()


def titles(page: str) -> set[str]:
    return set(re.findall(r'<a class="name" href="[^"]+">([^<]+)</a>', page))


def in_file(answer: Any) -> set[str]:
    return {row["title"] for row in csv.DictReader(StringIO(answer.getvalue().decode()))}


def test_people_come_first_and_what_was_due_is_folded_into_a_line_that_opens(browser: Client) -> None:
    page = page_of(browser)
    assert titles(page) == {"deployed", "invoked"}
    assert "<b>2</b> runs" in page
    assert '<a href="?by=everybody">1 scheduled run</a>' in page
    opened = page_of(browser, by="everybody")
    assert "<b>3</b> runs" in opened
    assert "Fold scheduled runs" in opened


def test_the_line_counts_those_that_the_filters_find_too(browser: Client) -> None:
    assert "scheduled run" not in page_of(browser, kind="deployment").split('class="folded"')[-1].split("</p>")[0]
    assert '<a href="?kind=sync&amp;by=everybody">1 scheduled run</a>' in page_of(browser, kind="sync")


@pytest.mark.parametrize(("query", "wanted"), FILTERS)
def test_rows_count_and_file_have_what_the_filters_find(
    browser: Client, query: dict[str, Any], wanted: set[str]
) -> None:
    page = page_of(browser, **query)
    assert titles(page) == wanted
    assert f"<b>{len(wanted)}</b>" in page
    assert in_file(browser.get("/runs/", {**query, "format": "csv"})) == wanted


@pytest.mark.parametrize(("query", "wanted"), FILTERS)
def test_the_api_names_its_filters_as_the_page_does(
    runs: None, operator: User, query: dict[str, Any], wanted: set[str]
) -> None:
    token = tokens.make(Wanted("some", ["read"]), Actor(operator)).text
    query = {"by": "people", **query}
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/runs", query)
    assert {run["title"] for run in answer.json()["runs"]} == wanted


@pytest.mark.parametrize("query", [{"since": "tomorrow"}, {"by": "nobody"}, {"kind": ["sync", "deploy"]}])
def test_the_api_refuses_what_it_does_not_understand(runs: None, operator: User, query: dict[str, Any]) -> None:
    token = tokens.make(Wanted("some", ["read"]), Actor(operator)).text
    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/runs", query).status_code in (400, 422)


def test_a_narrow_token_counts_no_runs_under_way_that_it_is_not_shown(db: None, operator: User) -> None:
    function = make_function(make_account(), "one")
    for status in (Status.RUNNING, Status.SUCCEEDED):
        Run.objects.create(
            kind=Kind.DEPLOYMENT, status=status, title="x", actor_name="olga", created_at=clock.now(), function=function
        )
    told = [
        run_list(RunFilter(), 1, runs_within(Reach(functions=functions))).words(narrowed=False)
        for functions in (("one",), ("other",))
    ]
    assert told == ["runs, 1 under way", "runs"]


def test_links_from_page_to_page_keep_every_filter(browser: Client) -> None:
    for _ in range(51):
        make("again", Kind.PATCH, Status.FAILED, "vera")
    page = page_of(browser, kind=["patch", "undo"], person="ver", since="24h")
    assert 'href="?kind=patch&amp;kind=undo&amp;person=ver&amp;since=24h&amp;page=2"' in page


def test_all_filters_together_cost_no_more_queries(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        page_of(browser, person="v", function="o", kind=["deployment", "sync"], since="9d", until="1m")
